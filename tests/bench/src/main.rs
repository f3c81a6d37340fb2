//! t
#![allow(warnings)]
use bench::{aws::*, sandbox::*, webhook};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use serde_json::json;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let floor = std::env::current_exe().unwrap().with_file_name("bench-floor");
    let env: BTreeMap<String,String> = [("TABLE_DIRECTORY","peer-directory"),("TABLE_ACCOUNTS","peer-accounts"),("TWILIO_SECRET","s"),("PUBLIC_BASE_URL",webhook::BASE_URL)].into_iter().map(|(a,b)|(a.to_string(),b.to_string())).collect();
    let cloud = SharedCloud::default();
    {
        let mut c = cloud.lock();
        c.secrets.insert("s".into(), json!({"auth_token": webhook::AUTH_TOKEN}).to_string());
        let k = |t:&str,p:&str,s:&str| (t.to_string(),p.to_string(),s.to_string());
        c.items.insert(k("peer-directory","number#+18665550100",""), json!({"pk":{"S":"number#+18665550100"}}).as_object().cloned().unwrap());
        c.items.insert(k("peer-directory","code#1",""), json!({"pk":{"S":"code#1"},"tenant":{"S":"t"}}).as_object().cloned().unwrap());
        c.items.insert(k("peer-accounts","t","code#1"), json!({"pk":{"S":"t"},"active":{"BOOL":true},"greeting":{"S":"Hello"},"menu":{"L":[{"M":{"key":{"S":"1"},"text":{"S":"To opt out"}}}]}}).as_object().cloned().unwrap());
    }
    let a: Vec<String> = std::env::args().collect();
    let work = PathBuf::from(&a[1]);
    let mut fs = vec![Function{name:"floor".into(),command:vec![floor],folder:"/".into(),env:BTreeMap::new(),handler:"bootstrap".into(),log:"/tmp/w/bt/log".into()}];
    for x in a[2..].iter() {
        let p: Vec<_> = x.split(' ').map(PathBuf::from).collect();
        let h = p.last().unwrap().to_str().unwrap().to_string();
        fs.push(Function{name:x.clone(),command:p[..p.len()-1].to_vec(),folder:work.clone(),env:env.clone(),handler:h,log:"/tmp/w/bt/log".into()});
    }
    for f in &fs {
        let step = if f.handler.contains("service") {"service-code"} else {"answer"};
        let mut p = webhook::parameters("CA1","ringing"); if step=="service-code" {p.push(("Digits".into(),"1".into()));}
        let ev = webhook::post(&format!("{}/voice/{step}", webhook::BASE_URL), &p);
        let mut starts=vec![]; let mut firsts=vec![]; let mut warm=vec![];
        let mut mem=0; let mut body=String::new(); let mut c=Default::default();
        for i in 0..8 {
            let aws = Aws::listen(&cloud, Duration::ZERO).await.unwrap();
            let mut s = Sandbox::start(f, aws).await.unwrap();
            starts.push(s.start);
            let r = s.invoke(&ev).await.unwrap(); firsts.push(r.took); body=String::from_utf8_lossy(&r.body).into_owned();
            if i==7 { for _ in 0..1000 { let r = s.invoke(&ev).await.unwrap(); warm.push(r.took); c=count(&r.calls);} mem=s.peak_memory_kib().unwrap(); }
        }
        starts.sort(); firsts.sort(); warm.sort();
        println!("{} start {:?} first {:?} warm {:?} p99 {:?} mem {} {:?}\n   {}", f.name, starts[4], firsts[4], warm[500], warm[990], mem, c, &body[..body.len().min(300)]);
    }
}
