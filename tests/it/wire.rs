//! What travels, line by line: a change of the wire that would break another version is seen before it is released.
//!
//! `proto/wire.txt` holds every field, enum value and rpc of the .proto files. A line may be added and never changed or
//! taken away: nodes of neighbouring versions work together, and what was signed is kept for ever.

use std::{collections::BTreeSet, fs, path::Path};

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet, field_descriptor_proto::Label};
use wego_proto::prost::Message as _;

/// Set to `write` to take new lines in.
const WRITE: &str = "WEGO_WIRE";

#[test]
fn the_wire_only_grows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/wire.txt");
    let now = lines();
    assert!(now.len() > 400, "the .proto files were not read: {} lines", now.len());
    let text: String = now.iter().map(|line| format!("{line}\n")).collect();
    if std::env::var(WRITE).is_ok_and(|value| value == "write") {
        fs::write(&path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap();
    let kept: BTreeSet<_> = kept.lines().map(str::to_owned).collect();
    let gone: Vec<_> = kept.difference(&now).collect();
    assert!(gone.is_empty(), "these break other versions: reserve the number and take another\n{gone:#?}");
    let new: Vec<_> = now.difference(&kept).collect();
    assert!(new.is_empty(), "new on the wire: run this test with {WRITE}=write\n{new:#?}");
}

fn lines() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for file in FileDescriptorSet::decode(wego_proto::FILE_DESCRIPTOR_SET).unwrap().file {
        let package = file.package().to_owned();
        for message in &file.message_type {
            message_lines(&format!("{package}.{}", message.name()), message, &mut lines);
        }
        for named in &file.enum_type {
            enum_lines(&format!("{package}.{}", named.name()), named, &mut lines);
        }
        for service in &file.service {
            for rpc in &service.method {
                let stream = |streams: bool| if streams { "stream " } else { "" };
                lines.insert(format!(
                    "rpc {package}.{}/{} {}{} returns {}{}",
                    service.name(),
                    rpc.name(),
                    stream(rpc.client_streaming()),
                    rpc.input_type(),
                    stream(rpc.server_streaming()),
                    rpc.output_type(),
                ));
            }
        }
    }
    lines
}

fn message_lines(name: &str, message: &DescriptorProto, lines: &mut BTreeSet<String>) {
    for field in &message.field {
        let repeated = if field.label() == Label::Repeated { "repeated " } else { "" };
        let r#type = match field.type_name() {
            "" => format!("{:?}", field.r#type()).to_lowercase(),
            named => named.to_owned(),
        };
        let optional = if field.proto3_optional() { "optional " } else { "" };
        lines.insert(format!("field {name} {} {optional}{repeated}{type} {}", field.number(), field.name()));
    }
    for nested in message.nested_type.iter().filter(|nested| !nested.options.as_ref().is_some_and(map_entry))
    {
        message_lines(&format!("{name}.{}", nested.name()), nested, lines);
    }
    for named in &message.enum_type {
        enum_lines(&format!("{name}.{}", named.name()), named, lines);
    }
}

fn enum_lines(name: &str, named: &EnumDescriptorProto, lines: &mut BTreeSet<String>) {
    for value in &named.value {
        lines.insert(format!("value {name} {} {}", value.number(), value.name()));
    }
}

fn map_entry(options: &prost_types::MessageOptions) -> bool {
    options.map_entry()
}
