//! Real servers on loopback, for tests and the demo.
//!
//! Every server gets a free port and a folder of its own, is awaited by an event of its own (it
//! accepts, it answers), never by a fixed pause, and is stopped by its pid when dropped.

mod load;
mod mongod;
mod nginx;
mod node;
mod pki;
mod prometheus;
mod redis;
mod server;

pub use load::load_tool;
pub use mongod::{Member, MongoSet, Mongod, SetSpec, mongod_program};
pub use nginx::{nginx, nginx_tls, nginx_with};
pub use node::node;
pub use pki::{Authority, Identity};
pub use prometheus::{alertmanager, prometheus};
pub use redis::{
    ClusterCheck, Redis, RedisCluster, RedisOptions, cluster_check, eventually, redis,
};
pub use server::{Launch, Server, StackError, find_program, folder, free_port};
