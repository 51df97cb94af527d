//! Whom a finding is about: the names that the commands of its advice need.

use super::finding::Advice;

/// The names of what died. What is not known stands in the advice as `<pod>`, `<namespace>`…
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The pod's namespace.
    pub namespace: Option<String>,
    /// The pod.
    pub pod: Option<String>,
    /// The container.
    pub container: Option<String>,
    /// What runs it, as kubectl names it: `deployment/checkout`.
    pub workload: Option<String>,
    /// The node that it ran on.
    pub node: Option<String>,
    /// The image that it ran.
    pub image: Option<String>,
}

impl Subject {
    /// The advice with the names in place of `{pod}`, `{namespace}`, `{container}`, `{workload}`, `{node}` and `{image}`.
    /// Other braces are part of a text.
    pub fn fill(&self, advice: &Advice) -> Advice {
        let steps = |steps: &[String]| steps.iter().map(|step| self.filled(step)).collect();
        Advice { summary: self.filled(&advice.summary), prove: steps(&advice.prove), fix: steps(&advice.fix) }
    }

    fn name(&self, word: &str) -> Option<Option<&str>> {
        Some(match word {
            "namespace" => self.namespace.as_deref(),
            "pod" => self.pod.as_deref(),
            "container" => self.container.as_deref(),
            "workload" => self.workload.as_deref(),
            "node" => self.node.as_deref(),
            "image" => self.image.as_deref(),
            _ => return None,
        })
    }

    /// Names that are filled in are not looked at again.
    fn filled(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let known = after.split_once('}').and_then(|(word, behind)| Some((word, self.name(word)?, behind)));
            rest = match known {
                Some((_, Some(name), behind)) => {
                    out.push_str(name);
                    behind
                }
                Some((word, None, behind)) => {
                    out.extend(["<", word, ">"]);
                    behind
                }
                None => {
                    out.push('{');
                    after
                }
            };
        }
        out + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_other_braces_stay() {
        let subject = Subject {
            namespace: Some("shop".into()),
            pod: Some("api-7b6c5d4f8-m4n5p".into()),
            container: Some("{pod}".into()),
            ..Subject::default()
        };
        for (text, expected) in [
            ("kubectl -n {namespace} logs {pod} -c {container}", "kubectl -n shop logs api-7b6c5d4f8-m4n5p -c {pod}"),
            ("kubectl debug node/{node}", "kubectl debug node/<node>"),
            ("jsonpath={.data.K} {\"spec\":{}} {pods} {", "jsonpath={.data.K} {\"spec\":{}} {pods} {"),
            ("{{pod}}", "{api-7b6c5d4f8-m4n5p}"),
        ] {
            assert_eq!(subject.filled(text), expected);
        }
    }
}
