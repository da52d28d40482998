//! Authentication and authorization: valid credentials, spoiled ones, other people's.

use readygate_sdk::{ProbeError, Secret};

use super::{claim, forbidden};
use crate::{
    ask::{Asker, Plan},
    config::{Authentication, Object, Part, User},
    held::ASKS,
    matrix::Row,
    record::{Claim, Control, Kind},
    users,
};

/// Valid credentials, none, made-up ones, and a valid token that was tampered with.
pub(crate) async fn authentication(
    config: &Authentication,
    asker: &Asker<'_>,
) -> Result<Claim, ProbeError> {
    let get = http::Method::GET;
    let mut claim = claim(Kind::Authentication, asker.subject(&get, &config.url));
    let Some(user) = asker.user(&config.user) else {
        claim.refused = Some(format!("no user `{}`", config.user));
        return Ok(claim);
    };
    let valid = asker.signed(get.clone(), &config.url, Some(&config.user))?;
    let wanted = config.status.to_string();
    claim.tries.push(
        Plan::new(
            "valid credentials",
            Control::Positive,
            &wanted,
            valid,
            Some(&config.user),
        )
        .run(asker)
        .await,
    );
    let wanted = config.refused.as_ref();
    let wanted = wanted.map_or_else(|| "401|403".to_owned(), ToString::to_string);
    for (name, user) in spoiled(config, user, &mut claim, asker) {
        let mut request = asker.request(get.clone(), &config.url)?;
        users::sign(&mut request, &user)?;
        let plan = Plan::new(name, Control::Negative, &wanted, request, None);
        let mut done = plan.run(asker).await;
        let to_login = config.login.as_deref().zip(done.saw.location.as_deref());
        if to_login.is_some_and(|(login, location)| leads_to(location, login)) {
            // A declared redirect keeps out as a refusal does.
            done.wanted = format!("{}|3xx", done.wanted);
        }
        claim.tries.push(done);
    }
    Ok(claim)
}

/// Credentials that must not let anybody in; notes in `claim` what there is no way to try.
fn spoiled(
    config: &Authentication,
    user: &User,
    claim: &mut Claim,
    asker: &Asker<'_>,
) -> Vec<(String, User)> {
    let random = format!("rg{}", asker.random);
    let mut spoiled = vec![
        ("no credentials".to_owned(), User::default()),
        (
            "made-up credentials".to_owned(),
            users::garbage(user, &random),
        ),
    ];
    let mut add = |name: &str, token: &str| {
        spoiled.push((name.to_owned(), users::with_token(user, token)));
    };
    if let Some(token) = users::jwt(user) {
        for (name, spoiled) in [
            (
                "the token unsigned, alg=none",
                users::unsigned(&token, "none"),
            ),
            (
                "the token unsigned, alg=NONE",
                users::unsigned(&token, "NONE"),
            ),
            (
                "the token with one bit of its signature turned",
                users::flipped(&token),
            ),
        ] {
            if let Some(token) = spoiled {
                add(name, &token);
            }
        }
    } else {
        let what = "an unsigned or altered token: the credentials are no JWT";
        claim.untried.push(what.to_owned());
    }
    for (name, token) in [
        ("an expired token", &config.expired),
        ("the token of a closed session", &config.logged_out),
    ] {
        match token {
            Some(token) => add(name, Secret::expose(token)),
            None => claim.untried.push(format!("{name}: the gate has none")),
        }
    }
    spoiled
}

/// Whether a `Location`, absolute or not, has this path.
fn leads_to(location: &str, login: &str) -> bool {
    let base = url::Url::parse("http://x/").ok();
    let path = |text: &str| {
        base.as_ref()
            .and_then(|b| b.join(text).ok())
            .map(|url| url.path().to_owned())
    };
    path(location).is_some() && path(location) == path(login)
}

/// One route of the matrix, asked by every role that has a cell.
pub(crate) async fn route(row: &Row, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let mut claim = claim(
        Kind::Authorization,
        asker.subject(&row.method.into(), &row.path),
    );
    if let Some(why) = forbidden(asker, Part::Authorization, row.method) {
        claim.refused = Some(why);
        return Ok(claim);
    }
    for (role, wanted) in &row.cells {
        let request = asker.signed(row.method.into(), &row.path, Some(role))?;
        // Whoever gets a 2xx is let in; everything else keeps out.
        let control = if [200, 201, 202, 204].iter().any(|code| wanted.allow(*code)) {
            Control::Positive
        } else {
            Control::Negative
        };
        let role = (role != "anonymous").then_some(role.as_str());
        let name = role.unwrap_or("anonymous");
        claim.tries.push(
            Plan::new(name, control, &wanted.to_string(), request, role)
                .run(asker)
                .await,
        );
    }
    Ok(claim)
}

/// An object of one user, asked by its owner, by another user, and by nobody.
pub(crate) async fn object(object: &Object, asker: &Asker<'_>) -> Result<Claim, ProbeError> {
    let method = http::Method::from(object.method);
    let mut claim = claim(Kind::Authorization, asker.subject(&method, &object.url));
    if let Some(why) = forbidden(asker, Part::Authorization, object.method) {
        claim.refused = Some(why);
        return Ok(claim);
    }
    let refused = object
        .refused
        .as_ref()
        .map_or_else(|| "403|404".to_owned(), ToString::to_string);
    let own = asker.signed(http::Method::GET, &object.others_own, Some(&object.other))?;
    let name = format!("{} gets what is theirs", object.other);
    claim.tries.push(
        Plan::new(&name, Control::Positive, "2xx", own, Some(&object.other))
            .run(asker)
            .await,
    );
    let others = asker.signed(method.clone(), &object.url, Some(&object.other))?;
    let name = format!("{}{ASKS}{}'s", object.other, object.owner);
    claim.tries.push(
        Plan::new(
            &name,
            Control::Negative,
            &refused,
            others,
            Some(&object.other),
        )
        .run(asker)
        .await,
    );
    let nobody = asker.request(method.clone(), &object.url)?;
    let name = format!("nobody{ASKS}{}'s", object.owner);
    claim.tries.push(
        Plan::new(
            &name,
            Control::Negative,
            &format!("401|{refused}"),
            nobody,
            None,
        )
        .run(asker)
        .await,
    );
    // Last: with a method that removes it, it is gone.
    let owners = asker.signed(method, &object.url, Some(&object.owner))?;
    let name = format!("{} gets what is theirs", object.owner);
    claim.tries.push(
        Plan::new(&name, Control::Positive, "2xx", owners, Some(&object.owner))
            .run(asker)
            .await,
    );
    Ok(claim)
}
