//! Which object or list a request is about.

use std::collections::BTreeMap;

use http::Uri;

/// What a path and its query name.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `v1` or `coroner.dev/v1alpha1`.
    pub api_version: String,
    /// E.g. `pods`.
    pub resource: String,
    /// Empty for a list of all namespaces and for what has none.
    pub namespace: String,
    pub name: Option<String>,
    pub subresource: Option<String>,
    query: BTreeMap<String, String>,
}

impl Target {
    pub fn parse(uri: &Uri) -> Option<Self> {
        let mut parts = uri.path().trim_matches('/').split('/');
        let api_version = match parts.next()? {
            "api" => parts.next()?.to_owned(),
            "apis" => format!("{}/{}", parts.next()?, parts.next()?),
            _ => return None,
        };
        let mut rest: Vec<&str> = parts.collect();
        let mut namespace = String::new();
        if rest.first() == Some(&"namespaces") && rest.len() > 2 {
            namespace = rest[1].to_owned();
            rest.drain(..2);
        }
        let mut rest = rest.into_iter().map(str::to_owned);
        Some(Self {
            api_version,
            namespace,
            resource: rest.next()?,
            name: rest.next(),
            subresource: rest.next(),
            query: parse_query(uri.query().unwrap_or_default()),
        })
    }

    /// A parameter of the query, if it is there and not empty.
    pub fn query(&self, key: &str) -> Option<String> {
        self.query.get(key).filter(|value| !value.is_empty()).cloned()
    }
}

fn parse_query(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (unescape(key), unescape(value))).collect()
}

/// Undoes percent encoding.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
