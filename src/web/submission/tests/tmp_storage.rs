//! Temporary storage: what may be asked for, and who can have it.

use super::*;
use crate::domain::TmpStorage;

const FIELD: &str = "requirements.tmpstorage";

#[test]
fn it_has_a_size_and_a_place() {
    let storage = |value: Value| parse(&with(FIELD, value), &a_config()).unwrap().tmp_storage;
    let at = |bytes, path: &str| Some(TmpStorage { bytes, path: path.into() });
    assert_eq!(storage(json!({ "size": "1g", "path": null })), at(1_000_000_000, "/tmp-data"));
    assert_eq!(storage(json!({ "size": 500, "path": "/scratch" })), at(500, "/scratch"));
    for nothing in [json!(null), json!({}), json!({ "size": null, "path": null }), json!({ "size": "" })] {
        assert_eq!(storage(nothing), None);
    }
}

#[test]
fn what_is_wrong_with_it_is_said() {
    for (sent, at) in [
        (json!("10g"), ""),
        (json!({ "size": "lots" }), ".size"),
        (json!({ "size": -1 }), ".size"),
        (json!({ "size": "1g", "path": "/etc" }), ".path"),
        (json!({ "size": "1g", "path": "/a/../etc" }), ".path"),
        (json!({ "size": "1g", "path": "/mnt/go-docker" }), ".path"),
        (json!({ "size": "1g", "path": "tmp" }), ".path"),
    ] {
        assert_eq!(faults_of(&with(FIELD, sent)), [format!("{FIELD}{at}")]);
    }
}
