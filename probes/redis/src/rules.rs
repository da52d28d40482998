//! What can be wrong with a Redis deployment.
//!
//! Each `fix` begins with the command that shows the same to a person. `redis-cli` stands for
//! `redis-cli -h HOST -p PORT` with the node that the check names; `valkey-cli` is the same.

use readygate_sdk::{Level, Rule};

const SPEC: &str = "https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/";
const NODES: &str = "https://redis.io/docs/latest/commands/cluster-nodes/";
const INFO: &str = "https://redis.io/docs/latest/commands/info/";
const ADMIN: &str = "https://redis.io/docs/latest/operate/oss_and_stack/management/admin/";

macro_rules! rules {
    ($($name:ident $code:literal $level:ident $source:expr,
        $summary:literal, $why:literal, $fix:literal;)*) => {
        $(pub const $name: Rule = Rule {
            code: $code,
            level: Level::$level,
            summary: $summary,
            why: $why,
            fix: $fix,
            source: $source,
        };)*
        /// Every rule, in the order of the documentation.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    UNREACHABLE "redis/unreachable" Error ADMIN,
        "a node does not accept a connection, or closes it before it answers",
        "Its keys, or the copy of them that a failover would need, are gone, while the other nodes may go on saying that the cluster is fine: with a dead replica they say so for ever.",
        "redis-cli PING; on its host: systemctl status redis, the end of its log, ss -ltn; start it, or open the firewall from here";
    NO_ANSWER "redis/no-answer" Error ADMIN,
        "a node accepts connections and does not answer",
        "Clients hang on it until their own timeout, which is worse than a refusal; the others notice after cluster-node-timeout at the earliest. `redis-cli --cluster check` hangs on such a node as well.",
        "timeout 2 redis-cli PING; on its host look for a stopped process (ps -o stat= -p PID shows T), swapping, a full disk, and commands like KEYS in redis-cli SLOWLOG GET";
    REJECTS_COMMANDS "redis/rejects-commands" Error "https://redis.io/docs/latest/commands/ping/",
        "a node answers PING with an error",
        "A server that cannot even say PONG serves no one: MISCONF means that it cannot save and therefore takes no writes, `max number of clients` that it lets no one in.",
        "redis-cli PING shows the error; MISCONF: redis-cli INFO persistence, free the disk, then redis-cli BGSAVE; max number of clients: redis-cli CLIENT LIST, and raise maxclients or fix the leak of connections";
    LOADING "redis/loading" Error INFO,
        "a node is still reading its data from disk",
        "It answers nothing else until it is done; its shard is without it.",
        "redis-cli INFO persistence shows loading_eta_seconds; wait, and raise `settle` if a start takes that long";
    CREDENTIALS_REFUSED "redis/credentials-refused" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/",
        "a node does not accept the credentials, or wants some",
        "Nothing can be told of a node that does not let the gate in. It is up; whether it is well is not known.",
        "redis-cli --user NAME -a PASSWORD PING; give `username` and `password` of a user with: ACL SETUSER readygate on >PASSWORD resetkeys -@all +ping +info +cluster|info +cluster|nodes +config|get";
    TLS_REFUSED "redis/tls-refused" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/security/encryption/",
        "the gate and a node could not agree on TLS",
        "Nothing can be told of such a node. Clients with the same trust settings cannot use it either.",
        "redis-cli --tls --cacert FILE PING; set `tls: { ca: FILE }` to the authority that signed the server's certificate, `cert` and `key` if it asks for a client certificate, or `tls: false` if the port speaks plain text";
    PERMISSION_MISSING "redis/permission-missing" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/",
        "the user may not ask what the gate needs to know",
        "What was not asked cannot be judged, and must not count as fine.",
        "redis-cli ACL DRYRUN readygate CLUSTER NODES; grant: ACL SETUSER readygate +ping +info +cluster|info +cluster|nodes";
    WRONG_MODE "redis/wrong-mode" Error NODES,
        "a server runs in another mode than the config says",
        "A server without cluster mode has its own key space: what is written there is lost to the cluster.",
        "redis-cli INFO server shows redis_mode; set cluster-enabled yes and start again, or correct `topology: { mode: ... }`";
    NODE_MISSING "redis/node-missing" Error NODES,
        "the cluster has fewer nodes than it should",
        "From inside, a cluster that lost or forgot a node looks complete: it only counts what it knows.",
        "redis-cli CLUSTER NODES | wc -l on every node; redis-cli CLUSTER MEET IP PORT adds one, and CLUSTER REPLICATE makes it a replica";
    NODE_UNEXPECTED "redis/node-unexpected" Warning NODES,
        "the cluster has more nodes than declared",
        "A node that nobody declared may be left over from a move, or belong to another cluster.",
        "redis-cli CLUSTER NODES; correct `topology: { nodes: N }`, or redis-cli --cluster del-node HOST:PORT ID";
    CLUSTER_STATE "redis/cluster-state" Error "https://redis.io/docs/latest/commands/cluster-info/",
        "a node says that the cluster is down",
        "It answers CLUSTERDOWN to every key.",
        "redis-cli CLUSTER INFO; see which slots are not covered and which nodes fail, below";
    SLOTS_UNCOVERED "redis/slots-uncovered" Error SPEC,
        "hash slots without a node that serves them",
        "Keys in these slots can be neither read nor written. With cluster-require-full-coverage off the cluster calls itself ok all the same.",
        "redis-cli --cluster check HOST:PORT; bring the owner back, or redis-cli --cluster fix HOST:PORT";
    SLOTS_FAILING "redis/slots-failing" Error "https://redis.io/docs/latest/commands/cluster-info/",
        "a node counts slots that are unassigned, or whose owner fails",
        "A node's own count decides what it answers to clients.",
        "redis-cli CLUSTER INFO | grep slots; look at the owner of the slots: redis-cli CLUSTER SHARDS";
    SLOTS_CONTESTED "redis/slots-contested" Error SPEC,
        "two nodes serve the same hash slot",
        "Each takes writes that the other does not see; one side will be thrown away.",
        "redis-cli CLUSTER NODES on both; redis-cli --cluster check HOST:PORT --cluster-search-multiple-owners, then --cluster fix";
    SLOTS_OPEN "redis/slots-open" Error "https://redis.io/docs/latest/commands/cluster-setslot/",
        "a hash slot is in the middle of a move",
        "A reshard that was interrupted leaves keys on both sides; multi-key commands fail with TRYAGAIN. Only the two nodes of the move know of it.",
        "redis-cli --cluster check HOST:PORT; if no reshard runs: redis-cli --cluster fix HOST:PORT, or redis-cli CLUSTER SETSLOT N STABLE on both nodes when the slot is empty on one";
    VIEWS_DIFFER "redis/views-differ" Error SPEC,
        "a node sees the cluster differently than the others",
        "Clients that ask it get another map: they go to the wrong master, or never learn of a node.",
        "redis-cli CLUSTER NODES | sort on each of the two; a forgotten node comes back with CLUSTER MEET; a removed one goes with CLUSTER FORGET on all nodes within 60 s";
    NODE_FAILING "redis/node-failing" Error NODES,
        "a node is marked as failing by others",
        "Those that mark it take no part in its failover votes and send clients elsewhere; when it answers here all the same, the bus port between them is blocked.",
        "redis-cli CLUSTER NODES | grep fail on the nodes that mark it; check its bus port (usually port + 10000) from there: nc -zv IP BUSPORT; forget a ghost with CLUSTER FORGET ID on all nodes";
    HANDSHAKE "redis/handshake" Error "https://redis.io/docs/latest/commands/cluster-meet/",
        "a node is being met and does not answer",
        "Someone told the cluster of a node that is not there, or whose bus port is blocked.",
        "redis-cli CLUSTER NODES | grep handshake; check address and bus port of the new node; it goes away by itself after cluster-node-timeout, unless something keeps meeting it";
    LINK_DOWN "redis/link-down" Error SPEC,
        "the cluster bus between two nodes is broken",
        "Clients still reach both, but after cluster-node-timeout the cluster takes one for dead. A wrong cluster-announce-ip looks like this: everyone knows the node under an address that leads nowhere.",
        "redis-cli CLUSTER NODES | grep disconnected; check the firewall for the bus port (usually port + 10000), and redis-cli CONFIG GET cluster-announce-*";
    MASTER_COUNT "redis/master-count" Error SPEC,
        "the number of masters is not what it should be",
        "A majority of masters must agree to a failover: with two, losing one stops the other as well. Without a cluster, two masters take writes that never meet.",
        "redis-cli CLUSTER NODES | grep master (or redis-cli ROLE); redis-cli --cluster rebalance HOST:PORT --cluster-use-empty-masters gives a new master slots";
    MASTER_WITHOUT_REPLICA "redis/master-without-replica" Error SPEC,
        "a master has fewer usable replicas than it should",
        "When it dies its slots die with it: there is no one who could take over.",
        "redis-cli CLUSTER REPLICAS ID; on the replica to move: redis-cli CLUSTER REPLICATE ID";
    REPLICA_MISPLACED "redis/replica-misplaced" Error "https://redis.io/docs/latest/commands/cluster-replicate/",
        "a replica follows the wrong node",
        "One master has copies to spare, another has none; or the replica follows a node that is no master, and copies nothing.",
        "redis-cli ROLE; on the replica: redis-cli CLUSTER REPLICATE ID-OF-THE-MASTER";
    REPLICA_NO_FAILOVER "redis/replica-no-failover" Warning "https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/",
        "a replica is told never to take over",
        "It counts as a copy, but when its master dies nobody is promoted.",
        "redis-cli CONFIG GET cluster-replica-no-failover; redis-cli CONFIG SET cluster-replica-no-failover no, unless it is meant for backups";
    MASTER_EMPTY "redis/master-empty" Warning NODES,
        "a master has no hash slots",
        "It was added and never given work, or came back as a stranger after its disk was wiped; it holds no data and backs up no one.",
        "redis-cli CLUSTER NODES; redis-cli --cluster rebalance HOST:PORT --cluster-use-empty-masters, or make it a replica: redis-cli CLUSTER REPLICATE ID";
    HOST_SHARED "redis/host-shared" Warning SPEC,
        "nodes that back each other up are on one machine",
        "The machine takes a master and its replica with it, or a majority of masters, and then no failover is possible. `redis-cli` looks at this on creation only.",
        "redis-cli CLUSTER NODES | sort -k2; swap roles with CLUSTER FAILOVER, or move the replica: CLUSTER REPLICATE ID; if addresses do not show the machine, say so in `hosts`";
    EPOCH_COLLISION "redis/epoch-collision" Warning SPEC,
        "two masters have the same config epoch",
        "Epochs decide who owns a slot. Collisions resolve themselves within a second on a working bus; one that stays says that it does not work.",
        "redis-cli CLUSTER NODES (7th column); on one of the two: redis-cli CLUSTER BUMPEPOCH";
    REPLICATION_BROKEN "redis/replication-broken" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/replication/",
        "a replica is not connected to its master",
        "It falls behind with every write, and a failover would lose them. A missing masterauth leaves a cluster all green that replicates nothing.",
        "redis-cli INFO replication shows master_link_status; the replica's log says why: set masterauth (and masteruser) to the master's password, check the network to the master";
    REPLICA_BEHIND "redis/replica-behind" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/replication/",
        "a replica is behind its master",
        "What it has not got is lost in a failover. Once it is further behind than the backlog reaches, a lost connection costs a full copy.",
        "redis-cli INFO replication on the master: compare master_repl_offset with offset= of each slave; look at network and disk of the replica, raise repl-backlog-size";
    WRITES_REFUSED "redis/writes-refused" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/replication/",
        "a master refuses writes because too few good replicas are connected",
        "Every write ends with NOREPLICAS, in a cluster that calls itself ok.",
        "redis-cli INFO replication | grep min_slaves; bring the replicas back, or lower min-replicas-to-write";
    PERSISTENCE_FAILING "redis/persistence-failing" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
        "the last save to disk failed",
        "A restart brings old data back, or none; with stop-writes-on-bgsave-error the master takes no more writes.",
        "redis-cli INFO persistence | grep status; free the disk, check permissions of `dir`, memory for the fork (vm.overcommit_memory=1), then redis-cli BGSAVE";
    NOT_PERSISTENT "redis/not-persistent" Info ADMIN,
        "a master saves nothing to disk",
        "If it restarts before a failover it comes back empty, and its replicas copy the emptiness.",
        "redis-cli CONFIG GET save; redis-cli CONFIG SET appendonly yes; a pure cache may do without";
    SNAPSHOT_OLD "redis/snapshot-old" Error "https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/",
        "the last RDB snapshot of a master is too old",
        "It is what a restore would bring back.",
        "redis-cli LASTSAVE (which shows the start of the server when it never saved); redis-cli BGSAVE, and set save points";
    MEMORY_FULL "redis/memory-full" Error "https://redis.io/docs/latest/develop/reference/eviction/",
        "a server that may not evict is at its memory limit",
        "Writes end with OOM; reads go on, so the cluster stays green.",
        "redis-cli INFO memory | grep maxmemory; raise maxmemory, add shards, or set a maxmemory-policy that evicts if this is a cache";
    MEMORY_UNLIMITED "redis/memory-unlimited" Info "https://redis.io/docs/latest/develop/reference/eviction/",
        "a server has no memory limit",
        "It grows until the kernel kills it.",
        "redis-cli CONFIG GET maxmemory; set maxmemory to about 3/4 of the machine";
    POLICY_MISMATCH "redis/policy-mismatch" Warning "https://redis.io/docs/latest/develop/reference/eviction/",
        "the eviction policy does not fit what the data is for",
        "A store that evicts loses data without a word; a cache that does not evict stops taking writes when it is full.",
        "redis-cli CONFIG GET maxmemory-policy; allkeys-lru or allkeys-lfu for a cache, noeviction for a store";
    EVICTING "redis/evicting" Error "https://redis.io/docs/latest/develop/reference/eviction/",
        "a server is throwing keys away",
        "Whoever wrote them thinks that they are there.",
        "redis-cli INFO stats | grep evicted_keys, twice; raise maxmemory or add shards";
    REJECTING_CONNECTIONS "redis/rejecting-connections" Error INFO,
        "a server is turning clients away",
        "It has reached maxclients; more instances of the application make it worse.",
        "redis-cli INFO clients; redis-cli INFO stats | grep rejected; raise maxclients (and the limit on open files), or lower the pools of the clients";
    FRAGMENTED "redis/fragmented" Warning "https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/",
        "memory is badly fragmented, or swapped out",
        "Above 1.5 half again as much memory is paid for as is used; below 1 the data is in swap, and every access may wait for the disk.",
        "redis-cli INFO memory | grep frag; redis-cli CONFIG SET activedefrag yes, or restart replicas first; when swapping, give it memory";
    HIT_RATE_LOW "redis/hit-rate-low" Warning INFO,
        "most look-ups in a cache find nothing",
        "The load that the cache should take goes to the database.",
        "redis-cli INFO stats | grep keyspace, twice; look at TTLs, evictions and key names of the last release";
    PARTIAL_COVERAGE "redis/partial-coverage" Info "https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/",
        "the cluster is told to go on with slots missing",
        "The cluster calls itself ok when a part of the keys is gone; monitors that look at cluster_state see nothing.",
        "redis-cli CONFIG GET cluster-require-full-coverage; keep it if half a cache is better than none, and watch slots.covered";
    NO_WRITE_GUARD "redis/no-write-guard" Info "https://redis.io/docs/latest/operate/oss_and_stack/management/replication/",
        "a store's master takes writes that no replica may ever get",
        "A master that is cut off goes on taking writes until it notices; they are lost when it comes back.",
        "redis-cli CONFIG GET min-replicas-to-write; redis-cli CONFIG SET min-replicas-to-write 1";
    VERSION_SKEW "redis/version-skew" Warning ADMIN,
        "the nodes run different versions",
        "An upgrade was not finished. A newer master's snapshot may not load on an older replica.",
        "redis-cli INFO server | grep version on each node; finish the rolling upgrade, replicas first";
    UNSTEADY "redis/unsteady" Info SPEC,
        "the cluster was not well at first, and came to rest",
        "Something happened just before: an election, a restart, a link that broke. It is over, and may come back.",
        "the log of the nodes named; redis-cli CLUSTER INFO | grep epoch shows elections";
    DRILL_FAILED "redis/drill-failed" Error "https://redis.io/docs/latest/commands/cluster-failover/",
        "a replica could not take over, or the cluster was not well afterwards",
        "The failover that an incident will need does not work.",
        "redis-cli CLUSTER NODES on all nodes; the log of the replica says why no majority voted (a second failover of one shard gets no votes within twice cluster-node-timeout); redis-cli CLUSTER FAILOVER on the old master, now a replica, hands back";
    DRILL_SLOW "redis/drill-slow" Error "https://redis.io/docs/latest/commands/cluster-failover/",
        "writes did not get through for too long during a failover",
        "A planned failover is the best case; a real one takes cluster-node-timeout more.",
        "redis-cli INFO replication on the replica before a failover (is it behind?); lower the writes in flight, look at the network between the nodes";
}

/// Whether what the rule found may pass by itself, so that another look is worth while.
pub(crate) fn may_pass(code: &str) -> bool {
    let lasting = [
        CREDENTIALS_REFUSED,
        TLS_REFUSED,
        PERMISSION_MISSING,
        WRONG_MODE,
        PERSISTENCE_FAILING,
        SNAPSHOT_OLD,
        MEMORY_FULL,
        EVICTING,
        REJECTING_CONNECTIONS,
    ];
    lasting.iter().all(|rule| rule.code != code)
}
