//! The measurement, put together: who is who.

use crate::measurement::{
    Answer, Hello, MemberConfig, MongodbMeasurement, NodeRecord, OpTime, Reach, SetConfig, Status,
};

pub const PRIMARY: i32 = 1;
pub const SECONDARY: i32 = 2;
pub const ARBITER: i32 = 7;

/// A measurement with the relations of its parts.
pub struct View<'a> {
    pub measured: &'a MongodbMeasurement,
    /// The newest config that any member has.
    pub config: Option<&'a SetConfig>,
}

/// A member that answered.
#[derive(Clone, Copy)]
pub struct Up<'a> {
    pub node: &'a NodeRecord,
    pub hello: &'a Hello,
}

impl<'a> Up<'a> {
    pub fn status(self) -> Option<&'a Status> {
        self.node.status.as_ref().and_then(Answer::got)
    }

    /// Its name in the set's config.
    pub fn name(self) -> &'a str {
        self.hello.me.as_deref().unwrap_or(&self.node.host)
    }

    /// Whether it is a writable primary of a set; a standalone accepts writes, too.
    pub fn is_primary(self) -> bool {
        self.hello.writable && self.in_a_set()
    }

    pub fn in_a_set(self) -> bool {
        self.hello.set_name.is_some()
    }

    /// Its state: its own account of it, else what `hello` shows.
    pub fn state(self) -> Option<i32> {
        let shown = [
            (self.hello.writable, PRIMARY),
            (self.hello.secondary, SECONDARY),
            (self.hello.arbiter, ARBITER),
        ];
        let shown = shown
            .into_iter()
            .find(|(is, _)| *is)
            .map(|(_, state)| state);
        self.status().map(|status| status.state).or(shown)
    }

    /// Whether it has data and serves.
    pub fn serves(self) -> bool {
        self.in_a_set() && matches!(self.state(), Some(PRIMARY | SECONDARY))
    }

    /// Its position when it was asked.
    pub fn applied(self) -> Option<OpTime> {
        self.hello
            .applied
            .or_else(|| self.status().and_then(|s| s.applied))
    }

    /// Its position once everyone had been asked.
    pub fn applied_later(self) -> Option<OpTime> {
        let asked = self
            .status()
            .and_then(|s| s.applied)
            .max(self.hello.applied);
        self.node.later.map(|later| later.applied).or(asked)
    }

    pub fn committed_later(self) -> Option<OpTime> {
        let asked = self
            .status()
            .and_then(|s| s.committed)
            .max(self.hello.committed);
        self.node.later.and_then(|later| later.committed).or(asked)
    }
}

impl<'a> View<'a> {
    pub fn new(measured: &'a MongodbMeasurement) -> Self {
        let configs = measured
            .nodes
            .iter()
            .filter_map(|n| n.config.as_ref()?.got());
        let config = configs.max_by_key(|c| (c.term, c.version));
        Self { measured, config }
    }

    pub fn nodes(&self) -> &'a [NodeRecord] {
        &self.measured.nodes
    }

    /// Everyone who answered.
    pub fn up(&self) -> impl Iterator<Item = Up<'a>> + Clone + use<'a> {
        let up = self.measured.nodes.iter();
        up.filter(|node| node.reach == Reach::Answered)
            .filter_map(|node| {
                let hello = node.hello.as_ref()?;
                Some(Up { node, hello })
            })
    }

    pub fn anyone(&self) -> bool {
        self.up().next().is_some()
    }

    pub fn only_routers(&self) -> bool {
        self.up().all(|up| up.hello.mongos)
    }

    /// Members of the set: those that answered, and are in one. A member that was asked under two
    /// names is one member.
    pub fn members(&self) -> impl Iterator<Item = Up<'a>> + Clone + use<'a> {
        let id = |up: Up<'a>| (up.hello.set_name.as_ref(), up.hello.me.as_ref());
        let all = self.up();
        self.up().enumerate().filter_map(move |(index, up)| {
            let mut before = all.clone().take(index);
            let again = up.hello.me.is_some() && before.any(|other| id(other) == id(up));
            (up.in_a_set() && !up.hello.mongos && !again).then_some(up)
        })
    }

    /// The primary; of two, the one elected last.
    pub fn primary(&self) -> Option<Up<'a>> {
        let primaries = self.members().filter(|up| up.is_primary());
        primaries.max_by(|a, b| a.hello.election.cmp(&b.hello.election))
    }

    /// A member's entry in the config.
    pub fn entry(&self, up: Up<'_>) -> Option<&'a MemberConfig> {
        let members = self.config.iter().flat_map(|config| &config.members);
        members.clone().find(|m| m.host == up.name()).or_else(|| {
            let mut members = members;
            members.find(|m| m.host == up.node.host)
        })
    }

    /// Name of the set for subjects.
    pub fn set(&self) -> String {
        let name = self.members().find_map(|up| up.hello.set_name.clone());
        name.or_else(|| self.measured.uri.replica_set.clone())
            .unwrap_or_else(|| "the set".to_owned())
    }

    /// Whether a node may be asked for what needs data: not an arbiter, in a set, serving.
    pub fn data(&self) -> impl Iterator<Item = Up<'a>> + use<'a> {
        self.members().filter(|up| up.serves())
    }

    /// The position that lag is counted from: the primary's, or the newest where there is none.
    pub fn newest(&self) -> Option<OpTime> {
        let primary = self.primary().and_then(Up::applied);
        primary.or_else(|| self.data().filter_map(Up::applied).max())
    }

    /// Lag of a member in seconds, its declared delay taken off.
    pub fn lag(&self, up: Up<'_>) -> Option<f64> {
        let delay = self.entry(up).map_or(0, |entry| entry.delay_s);
        let behind = up.applied_later()?.behind(self.newest()?);
        Some((behind - delay as f64).max(0.0))
    }

    /// How far the commit point is behind the primary, in seconds.
    pub fn commit_lag(&self) -> Option<f64> {
        let primary = self.primary()?;
        Some(primary.committed_later()?.behind(primary.applied()?))
    }
}
