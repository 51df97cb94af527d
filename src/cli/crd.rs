//! `coroner crd`: prints the definition of the custom resource, as `crds/` and the chart hold it.

use std::io::Write;

/// Writes the CustomResourceDefinition to `out` as YAML.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(out: &mut dyn Write) -> std::io::Result<()> {
    let definition = crate::report::crd_yaml().map_err(std::io::Error::other)?;
    out.write_all(definition.as_bytes())
}
