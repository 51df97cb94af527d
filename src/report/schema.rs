//! The definition of the custom resource, in the form that an API server takes without a warning.

use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::CrashReport;
use crate::yaml::YamlError;

/// The CustomResourceDefinition as YAML: what `coroner crd` prints, and what `crds/` and the chart hold.
///
/// # Errors
/// When the definition has no YAML form, which would be a fault in the types of this module.
pub fn crd_yaml() -> Result<String, YamlError> {
    // By way of YAML, since a value of the library's own is what can be changed in place.
    let mut definition = crate::yaml::from_str(&crate::yaml::to_string(&CrashReport::crd())?)?;
    tidy(&mut definition);
    crate::yaml::to_string(&definition)
}

/// The schema of `status.conditions`: Kubernetes' own conditions, with the bounds that Kubernetes' Go types state in
/// comments and the Rust types do not.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {
            "description": "One aspect of this report that holds, or does not.",
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "description": "Which aspect: Active, Regressed or Delivered.",
                    "type": "string",
                    "maxLength": 316,
                },
                "status": {
                    "description": "Whether it holds.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                },
                "reason": {
                    "description": "Why, one word.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                },
                "message": { "description": "Why, in words.", "type": "string", "maxLength": 1024 },
                "lastTransitionTime": {
                    "description": "Since when it has this status.",
                    "type": "string",
                    "format": "date-time",
                },
                "observedGeneration": {
                    "description": "The generation of the report that this was decided upon.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                },
            },
        },
    })
}

/// Replaces what schemars writes and OpenAPI v3 of Kubernetes does not know: formats of unsigned integers, of which the
/// API server warns, and bounds of integers as floating point numbers.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("type").is_some_and(|kind| kind == "integer") {
                tidy_integer(map);
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn tidy_integer(schema: &mut serde_json::Map<String, Value>) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        schema.insert("format".into(), "int64".into());
    }
    for bound in ["minimum", "maximum"] {
        if let Some(limit) = schema.get(bound).and_then(Value::as_f64) {
            // Only whole numbers stand here: they are bounds of integers.
            schema.insert(bound.into(), Value::from(limit as i64));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn schema() -> Value {
        crate::yaml::from_str(&crd_yaml().unwrap()).unwrap()
    }

    fn walk(value: &Value, path: &str, visit: &mut dyn FnMut(&str, &serde_json::Map<String, Value>)) {
        match value {
            Value::Object(map) => {
                visit(path, map);
                map.iter().for_each(|(key, value)| walk(value, &format!("{path}.{key}"), visit));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, path, visit)),
            _ => {}
        }
    }

    fn version(definition: &Value) -> &Value {
        &definition["spec"]["versions"][0]
    }

    #[test]
    fn every_field_is_documented_and_every_string_and_list_is_bounded() {
        let definition = schema();
        let root = &version(&definition)["schema"]["openAPIV3Schema"]["properties"];
        let mut fields = 0;
        walk(root, "", &mut |path, map| {
            let Some(kind) = map.get("type").and_then(Value::as_str) else { return };
            fields += 1;
            let is_item = path.ends_with(".items");
            assert!(is_item || map.contains_key("description"), "{path} is not documented");
            let bounded = match kind {
                "string" => ["maxLength", "enum", "format"].iter().any(|key| map.contains_key(*key)),
                "array" => map.contains_key("maxItems"),
                _ => true,
            };
            assert!(bounded, "{path} is not bounded");
        });
        assert!(fields > 60, "only {fields} fields were visited");
    }

    #[test]
    fn formats_and_bounds_are_those_that_the_api_server_knows() {
        walk(&schema(), "", &mut |path, map| {
            if let Some(format) = map.get("format").and_then(Value::as_str) {
                assert!(["int32", "int64", "date-time"].contains(&format), "{path} has format {format}");
            }
            for bound in ["minimum", "maximum"] {
                assert!(
                    map.get(bound).is_none_or(|limit| !limit.is_f64()),
                    "{path}.{bound} is a floating point number"
                );
            }
        });
    }

    #[test]
    fn the_printer_columns_are_those_of_the_contract() {
        let definition = schema();
        let columns = version(&definition)["additionalPrinterColumns"].as_array().unwrap();
        let names = |priority: Option<i64>| -> Vec<String> {
            let chosen = columns.iter().filter(|column| column["priority"].as_i64() == priority);
            chosen.map(|column| column["name"].as_str().unwrap().to_uppercase()).collect()
        };
        assert_eq!(names(None), ["WORKLOAD", "CONTAINER", "REASON", "CULPRIT", "COUNT", "LAST SEEN"]);
        assert_eq!(names(Some(1)), ["RUNTIME", "MESSAGE", "EXIT", "REVISION", "EVIDENCE", "TRIAGE"]);
    }

    #[test]
    fn names_and_scope_are_those_of_the_contract() {
        let definition = schema();
        let spec = &definition["spec"];
        assert_eq!(spec["scope"], "Namespaced");
        assert_eq!(spec["names"]["shortNames"], serde_json::json!(["crash"]));
        assert!(spec["names"].get("categories").is_none(), "`kubectl get all` must not list reports");
        assert!(version(&definition)["subresources"]["status"].is_object());
    }
}
