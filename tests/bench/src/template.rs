//! What `template.yaml` says of each function, so that the bench measures what is deployed.
//!
//! Reads the few lines it needs, by their shape; a function whose lines look otherwise is reported as missing.

use std::collections::BTreeMap;

/// A function as the template declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// The method and path of its route, if it has one.
    pub route: Option<(String, String)>,
    /// The names of its environment variables.
    pub variables: Vec<String>,
    /// Its memory in MB.
    pub memory_mb: u32,
}

/// All functions of a template, by bin.
#[must_use]
pub fn functions(template: &str) -> BTreeMap<String, Declared> {
    let mut functions: BTreeMap<String, Declared> = BTreeMap::new();
    let mut default_memory = 128;
    let mut bin: Option<String> = None;
    let mut in_variables = false;
    for line in template.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if indent <= 2 {
            bin = None;
        }
        if let Some(memory) = line.strip_prefix("MemorySize:").and_then(|memory| memory.trim().parse().ok()) {
            match bin.as_ref().and_then(|bin| functions.get_mut(bin)) {
                Some(function) => function.memory_mb = memory,
                None if indent == 4 => default_memory = memory,
                None => {}
            }
        }
        if let Some(path) = line.strip_prefix("CodeUri: target/lambda/") {
            let name = path.trim_end_matches('/').to_owned();
            functions.insert(name.clone(), Declared { memory_mb: default_memory, ..Declared::default() });
            bin = Some(name);
        }
        let Some(function) = bin.as_ref().and_then(|bin| functions.get_mut(bin)) else { continue };
        if let Some((method, path)) = line.split_once("Method: ").and_then(|(_, route)| route.split_once(", Path: ")) {
            let path = path.trim_end_matches('}').trim_matches('\'').trim_end_matches('\'');
            function.route = Some((method.to_owned(), path.to_owned()));
        }
        in_variables = (in_variables && indent == 10) || line == "Variables:";
        if let (true, 10, Some((name, _))) = (in_variables, indent, line.split_once(':')) {
            function.variables.push(name.to_owned());
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_read_with_its_route_its_variables_and_its_memory() {
        let template = "
Globals:
  Function:
    MemorySize: 256
Resources:
  VoiceStep:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/voice-step/
      Events:
        Route: {Type: HttpApi, Properties: {ApiId: !Ref HttpApi, Method: POST, Path: '/voice/step/{call}'}}
      Environment:
        Variables:
          PUBLIC_BASE_URL: !Ref PublicBaseUrl
          KMS_KEY: !GetAtt Key.Arn
      Policies:
        - Version: '2012-10-17'
  JobsWork:
    Properties:
      CodeUri: target/lambda/jobs-work/
      MemorySize: 512
  Other:
    MemorySize: 1
";
        let functions = functions(template);
        let route = Some(("POST".to_owned(), "/voice/step/{call}".to_owned()));
        let variables = vec!["PUBLIC_BASE_URL".to_owned(), "KMS_KEY".to_owned()];
        assert_eq!(functions["voice-step"], Declared { route, variables, memory_mb: 256 });
        assert_eq!(functions["jobs-work"].memory_mb, 512);
    }
}
