//! Votes, roles, names: what the set's config says against what was declared.

use readygate_sdk::{Checks, count_of};

use super::{
    members::healthy,
    view::{Up, View},
};
use crate::{
    config::{MongodbConfig, Topology},
    measurement::{MemberConfig, SetConfig},
    rules,
};

/// Numbers of a config.
pub struct Counts {
    pub members: u32,
    pub voting: u32,
    pub arbiters: u32,
    pub hidden: u32,
    pub delayed: u32,
    pub data_voters: u32,
    pub electable: u32,
}

impl Counts {
    pub fn of(config: &SetConfig) -> Self {
        let count = |is: fn(&MemberConfig) -> bool| {
            u32::try_from(config.members.iter().filter(|m| is(m)).count()).unwrap_or(u32::MAX)
        };
        Self {
            members: count(|_| true),
            voting: count(|m| m.votes > 0),
            arbiters: count(|m| m.arbiter),
            hidden: count(|m| m.hidden),
            delayed: count(|m| m.delay_s > 0),
            data_voters: count(|m| m.votes > 0 && !m.arbiter),
            electable: count(|m| m.priority > 0.0 && !m.arbiter),
        }
    }

    fn vote_majority(&self) -> u32 {
        self.voting / 2 + 1
    }

    /// As the server counts: a majority of the votes, but arbiters cannot hold a write.
    fn write_majority(&self) -> u32 {
        self.vote_majority().min(self.data_voters)
    }
}

/// Are majority writes possible, and would they be with one member less?
pub fn majority(view: &View<'_>, checks: &mut Checks) {
    let Some(config) = view.config else {
        return;
    };
    let counts = Counts::of(config);
    let votes = |up: &Up<'_>| view.entry(*up).is_some_and(|m| m.votes > 0);
    let voters = view.members().filter(|up| healthy(*up)).filter(votes);
    let data = voters.clone().filter(|up| up.serves()).count();
    let voters = voters.count();
    let (needed, elect) = (
        counts.write_majority() as usize,
        counts.vote_majority() as usize,
    );
    let facts = format!("{data} healthy data-bearing voters, {needed} needed");
    if data < needed || voters < elect {
        let check = checks.check(&rules::NO_MAJORITY, view.set());
        let expected = format!("{needed} with data for writes, {elect} with a vote for elections");
        check
            .expected(expected)
            .actual(format!("{data} with data, {voters} with a vote"))
            .fail();
        return;
    }
    checks
        .check(&rules::NO_MAJORITY, view.set())
        .message(facts.clone())
        .pass();
    let check = checks.check(&rules::NO_SPARE, view.set());
    let more = if data > needed && voters > elect {
        "one may fail"
    } else {
        "one more failure stops majority writes"
    };
    check
        .message(format!("{facts}: {more}"))
        .passed_if(data > needed && voters > elect);
}

pub fn shape(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let Some(set) = view.config else {
        for rule in [&rules::NO_MAJORITY, &rules::ONE_ELECTABLE, &rules::TOPOLOGY] {
            let answers = view
                .members()
                .filter_map(|up| Some((up.node, up.node.config.as_ref()?)));
            super::not_measured(rule, answers, checks);
        }
        return;
    };
    let counts = Counts::of(set);
    let voters = format!(
        "{} members have a vote and data, and there are {}",
        counts.data_voters,
        count_of(u64::from(counts.arbiters), "arbiter", "arbiters")
    );
    let check = checks
        .check(&rules::FEW_VOTERS, view.set())
        .expected(">= 3 with data")
        .message(voters);
    check.passed_if(counts.data_voters >= 3);
    let check = checks
        .check(&rules::EVEN_VOTERS, view.set())
        .expected("an odd number of voters");
    check
        .message(format!("{} members have a vote", counts.voting))
        .passed_if(counts.voting % 2 == 1);
    let declared = config.topology.clone().unwrap_or_default();
    if counts.members > 1 || declared.members != Some(1) {
        let check = checks
            .check(&rules::ONE_ELECTABLE, view.set())
            .expected(">= 2 with priority above 0");
        check
            .message(format!(
                "{} of the members can become primary",
                counts.electable
            ))
            .passed_if(counts.electable >= 2);
    }
    roles(&declared, set, &counts, view, checks);
    topology(config, &declared, set, &counts, view, checks);
}

/// Special members that nobody declared.
fn roles(
    declared: &Topology,
    set: &SetConfig,
    counts: &Counts,
    view: &View<'_>,
    checks: &mut Checks,
) {
    let hidden_meant = declared.hidden == Some(counts.hidden);
    let delayed_meant = declared.delayed == Some(counts.delayed);
    let votes_meant = declared.voting == Some(counts.voting);
    let mut special = false;
    for member in &set.members {
        if member.arbiter {
            let check = checks.check(&rules::ARBITER, &member.host);
            check
                .message("is an arbiter: it votes and holds no data")
                .passed_if(declared.arbiters == Some(counts.arbiters));
            continue;
        }
        let mut odd = Vec::new();
        let mut note = |is: bool, meant: bool, what: String| {
            if is && !meant {
                odd.push(what);
            }
        };
        note(member.hidden, hidden_meant, "hidden".to_owned());
        note(
            member.delay_s > 0,
            delayed_meant,
            format!("delayed by {} s", member.delay_s),
        );
        note(member.votes == 0, votes_meant, "without a vote".to_owned());
        let explained = (member.hidden && hidden_meant)
            || (member.delay_s > 0 && delayed_meant)
            || (member.votes == 0 && votes_meant);
        note(
            member.priority <= 0.0 && !member.hidden && member.delay_s == 0,
            explained,
            "unelectable (priority 0)".to_owned(),
        );
        note(
            !member.build_indexes,
            false,
            "without indexes (buildIndexes: false)".to_owned(),
        );
        if !odd.is_empty() {
            special = true;
            let message = format!("is {}, and not declared so", odd.join(", "));
            checks
                .check(&rules::ROLE, &member.host)
                .message(message)
                .fail();
        }
    }
    if !special {
        checks
            .check(&rules::ROLE, view.set())
            .message("every special member is declared")
            .pass();
    }
}

fn topology(
    config: &MongodbConfig,
    declared: &Topology,
    set: &SetConfig,
    counts: &Counts,
    view: &View<'_>,
    checks: &mut Checks,
) {
    if config.topology.is_none() && config.hosts.is_empty() {
        checks.check(&rules::UNDECLARED, view.set()).fail();
        return;
    }
    let fields = [
        ("members", declared.members, counts.members),
        ("voting", declared.voting, counts.voting),
        ("arbiters", declared.arbiters, counts.arbiters),
        ("hidden", declared.hidden, counts.hidden),
        ("delayed", declared.delayed, counts.delayed),
    ];
    for (name, wanted, found) in fields {
        if let Some(wanted) = wanted {
            let check = checks.check(&rules::TOPOLOGY, format!("{} {name}", view.set()));
            let check = check
                .expected(format!("{wanted} {name}"))
                .actual(found.to_string());
            let listed = set.members.iter().map(|m| m.host.clone());
            if wanted == found {
                check.message(format!("{found} {name}, as declared")).pass();
            } else {
                check
                    .message(format!("the set's config has {found} {name}"))
                    .details(listed)
                    .fail();
            }
        }
    }
    hosts(config, set, checks);
}

fn hosts(config: &MongodbConfig, set: &SetConfig, checks: &mut Checks) {
    if config.hosts.is_empty() {
        return;
    }
    for host in &config.hosts {
        let is = set.members.iter().any(|m| m.host == *host);
        let check = checks.check(&rules::TOPOLOGY, host);
        if is {
            check.message("is in the set's config, as declared").pass();
        } else {
            check
                .message("is declared and not in the set's config")
                .fail();
        }
    }
    for member in set
        .members
        .iter()
        .filter(|m| !config.hosts.contains(&m.host))
    {
        let message = "is in the set's config and not declared";
        checks
            .check(&rules::TOPOLOGY, &member.host)
            .message(message)
            .fail();
    }
}

/// Can the names of the config be used from here, and does a driver find the primary by them?
pub fn names(config: &MongodbConfig, view: &View<'_>, checks: &mut Checks) {
    let measured = view.measured;
    for dial in &measured.dials {
        let check = checks.check(&rules::HOST_NAME, &dial.host);
        match &dial.problem {
            None => check.message("can be dialled from here").pass(),
            Some(problem) => {
                check
                    .message(format!(
                        "is how the set's config names a member, and {problem}"
                    ))
                    .fail();
            }
        }
    }
    if measured.dials.is_empty() && view.members().next().is_some() {
        let message = "every member was asked by its name in the set's config";
        checks
            .check(&rules::HOST_NAME, view.set())
            .message(message)
            .pass();
    }
    let wanted = config
        .replica_set
        .as_ref()
        .or(measured.uri.replica_set.as_ref());
    let another = wanted.is_some_and(|w| {
        view.members()
            .all(|up| up.hello.set_name.as_ref() != Some(w))
    });
    if let Some(client) = measured.client.as_ref().filter(|_| !another) {
        let check = checks.check(&rules::CLIENT, &client.replica_set);
        match &client.problem {
            None => check
                .message(format!(
                    "a driver finds the primary in {:.0} ms",
                    client.took_ms
                ))
                .pass(),
            Some(problem) => check.actual(problem).fail(),
        }
    }
}
