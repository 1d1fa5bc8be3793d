//! Every step of the runbook that needs no machine of its own: the blocks of `deploy/README.md` marked `sh setup`, as they
//! stand and in their order. What belongs to systemd and to root is played by a few shell functions; the two other cities
//! are run beside it, and whoever is asked says yes.

use wego_tests::process::{documented, free_address, shell};

/// What the machine of the runbook has and this one may not.
const MACHINE: &str = r#"
export WEGO_NODE_CONFIG=$ROOT/var/lib/wego-node/node/wego-node.toml
mkdir -p "$ROOT/var/lib/wego-node" "$ROOT/mnt/backups"
runuser() {
    shift 3
    case "$*" in
    *--dry-run*) ;;
    'wego-node operator add '* | 'wego-node restore '*) set -- "$@" --yes ;;
    esac
    "$@"
}
install() { eval "last=\${$#}"; cp roster.pem "$last"; }
systemctl() {
    case "$1" in stop | restart) kill "$(cat pid)"; wait "$(cat pid)" ;; esac
    case "$1" in
    reload) kill -HUP "$(cat pid)" ;;
    start | restart | enable)
        wego-node run --config "$WEGO_NODE_CONFIG" 2>> seoul.log &
        echo $! > pid
        until command wego status > /dev/null 2>&1 || [ $? = 3 ]; do sleep 0.2; done
        ;;
    esac
}
# A person says yes, looks again until a status is good, and tries again what has to wait for others.
wego() {
    case "$1 ${2-}" in
    'roster sign' | 'record erase' | 'key rotate' | 'key rotate-transport' | 'key recover') set -- "$@" --yes ;;
    esac
    case "$1 ${2-}" in
    'status ' | 'erase status' | 'key rotate-transport')
        until command wego "$@"; do sleep 0.2; done ;;
    *) command wego "$@" ;;
    esac
}
other() {
    wego-node init --dir $1 --handle $2 --name en=$1 --country $3 --endpoint $4 --peers $4 --clients $5 --portal off
    sed -i 's/^\[peers\]$/[peers]\nreceipts_s = 1/' $1/wego-node.toml
    cp $1/member-card.pem $1.pem
}
"#;

/// What happens elsewhere after a block that has these words: in other cities, on offline media, in an editor.
const MEANWHILE: [(&str, &str); 4] = [
    (
        "wego-node init",
        "
node=$ROOT/var/lib/wego-node/node
sed -i 's/^\\[peers\\]$/[peers]\\nreceipts_s = 1/; s/0\\.0\\.0\\.0:7400/PORT-A/; s/127\\.0\\.0\\.1:7401/PORT-B/; s/127\\.0\\.0\\.1:7480/PORT-C/' \\
    $node/wego-node.toml
sed -i 's/127\\.0\\.0\\.1:7401/PORT-B/' $node/profile/profile.toml
cp $node/member-card.pem seoul.pem
cp $node/keys/governance.pem $node/keys/recovery.pem .
other paris fr-paris FR PORT-D PORT-E
other dakar sn-dakar SN PORT-F PORT-G
",
    ),
    (
        "wego roster sign",
        "
wego roster sign roster.pem --key paris/keys/governance.pem
for city in paris dakar; do
    cp roster.pem $city/roster.pem
    wego-node run --config $city/wego-node.toml 2> $city.log &
done
",
    ),
    (
        "practice publish",
        "
id=$(wego practice list --json | sed -n 's/.*\"record_id\": \"\\(.*\\)\".*/\\1/p')
until command wego --profile paris/profile record show $id; do sleep 0.2; done
",
    ),
    (
        "key recover",
        "
systemctl restart wego-node
wego status
wego member show kr-seoul
",
    ),
];

fn script(root: &std::path::Path) -> String {
    let mut script = format!("ROOT={}\n{MACHINE}", root.display());
    for block in documented("deploy/README.md") {
        script += &block.replace("erase ID", "erase $id");
        let (_, meanwhile) =
            MEANWHILE.into_iter().find(|(after, _)| block.contains(after)).unwrap_or_default();
        script += meanwhile;
    }
    for name in ["A", "B", "C", "D", "E", "F", "G"] {
        script = script.replace(&format!("PORT-{name}"), &free_address().to_string());
    }
    let moved = |path: &str| format!("$ROOT{path}");
    // The functions above say $ROOT themselves.
    script
        .replace("$ROOT/var/lib/wego-node", "/var/lib/wego-node")
        .replace("$ROOT/mnt/backups", "/mnt/backups")
        .replace("/var/lib/wego-node", &moved("/var/lib/wego-node"))
        .replace("/mnt/backups", &moved("/mnt/backups"))
}

#[test]
fn the_commands_of_the_runbook_work_as_they_stand() {
    let home = tempfile::tempdir().unwrap();
    let done = shell(home.path(), &script(home.path()));
    let log = std::fs::read_to_string(home.path().join("seoul.log")).unwrap_or_default();
    assert_eq!(done.code, Some(0), "{}\n{}\n{log}", done.out, done.err);
    for said in [
        "2 of 2 signatures: the roster is complete",
        "Bus arrival times on every stop",
        "restored kr-seoul",
        "https://seoul.example/",
        "rotation",
        "recovery",
    ] {
        assert!(done.out.contains(said), "{said}: {}\n{}", done.out, done.err);
    }
    for said in ["sn-dakar has the keys and digests that dakar.pem says", "signs from"] {
        let all = format!("{}{}", done.out, done.err);
        assert!(all.contains(said), "{said}: {all}");
    }
}
