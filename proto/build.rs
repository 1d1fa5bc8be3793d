//! Turns the .proto files into Rust at build time, without protoc.

use std::{env, fs, path::PathBuf};

use prost_build::Config;
use protox::prost::Message as _;

const FILES: [&str; 17] = [
    "wego/v1/entry.proto",
    "wego/v1/roster.proto",
    "wego/v1/session.proto",
    "wego/v1/catalogue.proto",
    "wego/v1/search.proto",
    "wego/v1/member.proto",
    "wego/v1/admin.proto",
    "wego/v1/backup.proto",
    "wego/v1/audit.proto",
    "wego/v1/delivery.proto",
    "wego/v1/keys.proto",
    "wego/v1/governance.proto",
    "wego/v1/invite.proto",
    "wego/v1/enrolment.proto",
    "wego/record/v1/core.proto",
    "wego/record/v1/practice.proto",
    "wego/record/v1/dataset.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run through cargo")?);
    fs::write(out.join("wego.bin"), descriptors.encode_to_vec())?;
    println!("cargo:rerun-if-changed=wego");

    let mut config = Config::new();
    // An unordered map would make two nodes that hold the same bytes act differently.
    config.btree_map(["."]);
    if env::var_os("CARGO_FEATURE_RPC").is_some() {
        tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    } else {
        config.compile_fds(descriptors)?;
    }
    Ok(())
}
