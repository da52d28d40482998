//! Separation of duties. It counts people, by principal and by key, and not signatures.

use jiff::Timestamp;

use super::scene::Scene;

/// An approval that holds by itself.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Its place in the list of whoever asks.
    pub index: usize,
    /// In whose name.
    pub role: String,
    /// Who.
    pub principal: String,
    /// With which key.
    pub fingerprint: String,
    /// When, by its own word.
    pub issued: Timestamp,
    /// Whether it is the final approval.
    pub is_final: bool,
}

/// Approvals that cannot count beside the others, with the reason. Of two that exclude each other
/// the later one gives way, and the final approval to all.
pub fn refused(approvals: &[Approval], scene: &Scene<'_>) -> Vec<(usize, String)> {
    let mut ordered: Vec<&Approval> = approvals.iter().collect();
    ordered.sort_by_key(|a| (a.is_final, a.issued, a.index));
    let mut kept: Vec<&Approval> = Vec::new();
    let mut refused = Vec::new();
    for approval in ordered {
        let clash = kept.iter().find_map(|other| clash(approval, other, scene));
        match clash.or_else(|| wrote_it(approval, scene)) {
            Some(why) => refused.push((approval.index, why)),
            None => kept.push(approval),
        }
    }
    refused
}

fn clash(approval: &Approval, other: &Approval, scene: &Scene<'_>) -> Option<String> {
    let Approval {
        role, principal, ..
    } = approval;
    let is_principal = scene.person(principal) == scene.person(&other.principal);
    let is_key = approval.fingerprint == other.fingerprint;
    if !is_principal && is_key {
        let (as_other, key) = (&other.principal, &other.fingerprint);
        return Some(format!("the key {key} signed as {as_other} already"));
    }
    if !is_principal || *role == other.role && !approval.is_final {
        return None;
    }
    if approval.is_final {
        let held = &other.role;
        return Some(format!(
            "{principal} signed as {held}, and the final approver may hold no other role"
        ));
    }
    let may = |name: &String| {
        let names = [principal, &other.principal];
        let mut also = names
            .iter()
            .filter_map(|n| scene.config.signoffs.may_also.get(*n));
        also.any(|roles| roles.contains(name))
    };
    (!may(role) && !may(&other.role)).then(|| {
        format!(
            "{principal} signed as {} already; one person holds one role, unless the config says \
             `may_also`",
            other.role
        )
    })
}

/// Nobody vouches for the quality or the security of their own work, nor approves it finally.
fn wrote_it(approval: &Approval, scene: &Scene<'_>) -> Option<String> {
    let Approval {
        role, principal, ..
    } = approval;
    let open = scene.roles().get(role)?.takes_authors(role);
    if open && !approval.is_final {
        return None;
    }
    match scene.is_author(principal) {
        Ok(false) => None,
        Ok(true) => Some(format!(
            "{principal} wrote a part of this release, and may not sign it as {role}"
        )),
        Err(why) => Some(why),
    }
}
