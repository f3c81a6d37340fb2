//! What `template.yaml` says of each function, so that the bench measures what is deployed.
//!
//! Reads the few lines it needs, by their shape; a function whose lines look otherwise is reported as missing.

use std::collections::BTreeMap;

/// A function as the template declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// The method and path of each of its routes.
    pub routes: Vec<(String, String)>,
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
            function.routes.push((method.to_owned(), path.to_owned()));
        }
        in_variables = (in_variables && indent == 10) || line == "Variables:";
        if let (true, 10, Some((name, _))) = (in_variables, indent, line.split_once(':')) {
            function.variables.push(name.to_owned());
        }
    }
    functions
}

/// A table as the template declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Its partition key and, where it has one, its sort key.
    pub key: Vec<String>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// A global secondary index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its partition key and its sort key.
    pub key: Vec<String>,
    /// The attributes that it holds besides all keys; nothing where it holds whole items.
    pub included: Option<Vec<String>>,
}

/// All tables of a template, by the name that functions find them under: `requests` for `RequestsTable`.
#[must_use]
pub fn tables(template: &str) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let mut table: Option<String> = None;
    let mut in_list = false;
    for line in template.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if indent <= 2 {
            let name = line.strip_suffix("Table:").filter(|_| indent == 2).map(str::to_lowercase);
            table = name.inspect(|name| drop(tables.insert(name.clone(), Table::default())));
            in_list = false;
        }
        let Some(table) = table.as_ref().and_then(|name| tables.get_mut(name)) else { continue };
        if let Some(name) = line.strip_prefix("- IndexName: ") {
            table.indexes.push(Index { name: name.to_owned(), included: Some(Vec::new()), ..Index::default() });
        }
        let index = table.indexes.last_mut();
        if let Some((name, _)) = line.strip_prefix("- {AttributeName: ").and_then(|key| key.split_once(", KeyType:")) {
            index.map_or(&mut table.key, |index| &mut index.key).push(name.to_owned());
            continue;
        }
        let Some(index) = index else { continue };
        if line.ends_with("ProjectionType: ALL}") || line.ends_with("ProjectionType: ALL") {
            index.included = None;
        }
        in_list = in_list || line == "NonKeyAttributes:";
        if let (true, Some(names)) = (in_list && line != "NonKeyAttributes:", &mut index.included) {
            let listed = line.trim_matches(['[', ']', ',']).split(',').map(|name| name.trim().to_owned());
            names.extend(listed);
            in_list = !line.ends_with(']');
        }
    }
    tables
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
        let routes = vec![("POST".to_owned(), "/voice/step/{call}".to_owned())];
        let variables = vec!["PUBLIC_BASE_URL".to_owned(), "KMS_KEY".to_owned()];
        assert_eq!(functions["voice-step"], Declared { routes, variables, memory_mb: 256 });
        assert_eq!(functions["jobs-work"].memory_mb, 512);
    }
    #[test]
    fn a_table_is_read_with_its_keys_and_what_its_indexes_hold() {
        let tables = tables(
            "
Resources:
  RequestsTable:
    Properties:
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
      KeySchema:
        - {AttributeName: pk, KeyType: HASH}
        - {AttributeName: sk, KeyType: RANGE}
      GlobalSecondaryIndexes:
        - IndexName: open-by-due
          KeySchema:
            - {AttributeName: open_pk, KeyType: HASH}
            - {AttributeName: open_sk, KeyType: RANGE}
          Projection:
            ProjectionType: INCLUDE
            NonKeyAttributes:
              [kind, state,
               version]
        - IndexName: by-user
          KeySchema:
            - {AttributeName: user_pk, KeyType: HASH}
          Projection: {ProjectionType: ALL}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Other:
    Properties:
      KeySchema:
        - {AttributeName: nobody, KeyType: HASH}
",
        );
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let index = |name: &str, key: &[&str], included: Option<&[&str]>| Index {
            name: name.to_owned(),
            key: names(key),
            included: included.map(names),
        };
        let indexes = vec![
            index("open-by-due", &["open_pk", "open_sk"], Some(&["kind", "state", "version"])),
            index("by-user", &["user_pk"], None),
        ];
        assert_eq!(tables, BTreeMap::from([("requests".to_owned(), Table { key: names(&["pk", "sk"]), indexes })]));
    }
}
