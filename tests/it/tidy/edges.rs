//! Which crate may use which, read from the manifests. Knows no code.

/// A crate and the crates of ours that it may use. `ARCHITECTURE.md` draws it.
const EDGES: &[(&str, &[&str])] = &[
    ("wego-proto", &[]),
    ("wego-ledger", &["wego-proto"]),
    ("wego-catalogue", &["wego-proto"]),
    ("wego-node", &["wego-proto", "wego-ledger", "wego-catalogue"]),
    ("wego-cli", &["wego-proto"]),
    ("wego-tests", &["wego-proto", "wego-ledger", "wego-catalogue", "wego-node", "wego-cli"]),
    ("wego-fuzz", &["wego-tests"]),
];

/// Crates that decide: what they use must be able to run a year in a second.
const PURE: &[&str] = &["wego-ledger", "wego-catalogue"];

/// What has a clock, a disk, a network or randomness in it.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio-util",
    "tokio-stream",
    "tokio-rustls",
    "tonic",
    "rustls",
    "sled",
    "tantivy",
    "getrandom",
    "rustix",
    "tempfile",
    "hyper-util",
    "axum",
    "tracing-subscriber",
];

const TABLES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// What is wrong in the manifest `text`; a manifest without a package has no edges.
pub(super) fn findings(path: &str, text: &str) -> Vec<String> {
    let manifest: toml::Table = toml::from_str(text).unwrap();
    let Some(name) = manifest.get("package").and_then(|package| package["name"].as_str()) else {
        return Vec::new();
    };
    let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{path}: {name} is not in the table of crates")];
    };
    let mut found = Vec::new();
    for table in TABLES {
        let Some(dependencies) = manifest.get(*table).and_then(toml::Value::as_table) else { continue };
        for (dependency, details) in dependencies {
            if dependency.starts_with("wego-") && !allowed.contains(&dependency.as_str()) {
                found.push(format!("{path}: {name} must not use {dependency}"));
            }
            // What a test of a pure crate uses does not run in it.
            if PURE.contains(&name) && *table == "dependencies" && is_impure(dependency, details) {
                found.push(format!("{path}: {name} decides and must not use {dependency}"));
            }
        }
    }
    found
}

fn is_impure(dependency: &str, details: &toml::Value) -> bool {
    let features = details.get("features").and_then(toml::Value::as_array);
    let with_rpc = features.is_some_and(|features| features.iter().any(|f| f.as_str() == Some("rpc")));
    IMPURE.contains(&dependency) || (dependency == "wego-proto" && with_rpc)
}

#[test]
fn a_forbidden_edge_is_found() {
    let manifest = |name: &str, line: &str| format!("[package]\nname = \"{name}\"\n[dependencies]\n{line}\n");
    let found = |name, line| findings("x/Cargo.toml", &manifest(name, line)).len();
    assert_eq!(found("wego-cli", "wego-node.workspace = true"), 1);
    assert_eq!(found("wego-cli", "wego-proto = { workspace = true, features = [\"rpc\"] }"), 0);
    assert_eq!(found("wego-ledger", "tokio.workspace = true"), 1);
    assert_eq!(found("wego-ledger", "wego-proto = { workspace = true, features = [\"rpc\"] }"), 1);
    assert_eq!(found("wego-extra", ""), 1);
}
