//! Every message with every variant, and the least and most that its fields can be.

use std::fmt::Debug;

use live_migration::handover::{Identity, Standing};
use live_migration::pages::list::{Content, List};
use live_migration::pages::run::Run;
use live_migration::wire::message::{
    Doubt, GuestOutcome, Hello, IterationEnd, ONLY_ASKED, PageVerdict, Question, Resolution, Resolve,
    Verdict, Welcome,
};
use live_migration::wire::talk::decode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::payload::{MIGRATION, TARGET, encode, hello};
use crate::{assert_golden, hex};

const GOLDEN: &str = include_str!("messages.txt");

/// All variants of an enum that have no fields. One that is added does not compile until it is here too.
macro_rules! all {
    ($of:ident: $($variant:ident),*) => {{
        fn is_named(one: $of) -> $of {
            match one { $($of::$variant => one),* }
        }
        [$($of::$variant),*].map(is_named)
    }};
}

/// Messages as they are encoded now; each is decoded from the golden bytes of its name as well.
struct Messages {
    golden: Vec<(&'static str, Vec<u8>)>,
    now: String,
}

impl Messages {
    #[track_caller]
    fn one<T: Serialize + DeserializeOwned + PartialEq + Debug>(&mut self, name: &str, message: &T) {
        self.now += &format!("{name}\n  {}\n", hex::of(&encode(message)));
        if let Some((_, golden)) = self.golden.iter().find(|(golden, _)| *golden == name) {
            assert_eq!(decode::<T>(golden).as_ref(), Ok(message), "{name}");
        }
    }
}

fn all() -> Messages {
    let mut all = Messages { golden: hex::parts(GOLDEN), now: String::new() };
    all.one("Hello", &hello());
    let least = Hello {
        migration: 0,
        vf_bytes: 0,
        page_bytes: 0,
        streams: 0,
        prove: false,
        workload: String::new(),
        note: vec![],
    };
    all.one("Hello, the least", &least);
    let most = Hello {
        migration: u128::MAX,
        vf_bytes: u64::MAX,
        page_bytes: u64::MAX,
        streams: u16::MAX,
        prove: true,
        workload: "Größe".into(),
        note: vec![0xff; 130],
    };
    all.one("Hello, the most", &most);
    all.one("Welcome", &Welcome { target: TARGET });
    all.one("Welcome, the least", &Welcome { target: Identity(0) });
    all.one("Verdict, Compatible", &Verdict::Compatible);
    all.one("Verdict, Refused", &Verdict::Refused("why".into()));
    all.one("IterationEnd", &IterationEnd { iteration: 0, pages: 128 });
    all.one("IterationEnd, the most", &IterationEnd { iteration: u32::MAX, pages: u64::MAX });
    all.one("PageVerdict, alike", &PageVerdict { compared: 1024, different: 0, first_different: None });
    all.one(
        "PageVerdict, different",
        &PageVerdict { compared: 1024, different: 1, first_different: Some(0) },
    );
    for standing in all!(Standing: UnderWay, Ready, Running, Discarded, Unknown) {
        all.one(&format!("Resolution, {standing:?}"), &Resolution { target: TARGET, standing });
    }
    for question in all!(Question: Ask, Look, Run, Discard) {
        all.one(&format!("Resolve, {question:?}"), &Resolve { migration: MIGRATION, question });
    }
    all.one("Doubt", &Doubt { target: TARGET, address: "[::1]:7433".into() });
    all.one("GuestOutcome, a result", &GuestOutcome { steps: 7, result: Ok(vec![1, 2]) });
    all.one("GuestOutcome, no result", &GuestOutcome { steps: 0, result: Err("why".into()) });
    all.one("Abort", &String::from("why"));
    all.one("Abort, only asked", &String::from(ONLY_ASKED));
    all.one("Stream", &MIGRATION);
    for content in all!(Content: Bytes, Zero) {
        let runs = vec![(Run { first: 1, count: 2 }, content)];
        all.one(&format!("list of Pages, {content:?}"), &List { iteration: 3, packing: 1, runs });
    }
    all
}

#[test]
fn every_message_is_encoded_as_ever_and_read_as_it_was_meant() {
    assert_golden("messages.txt", GOLDEN, &all().now);
}

#[test]
fn no_message_can_be_cut_or_made_longer() {
    for (name, golden) in hex::parts(GOLDEN).into_iter().filter(|(name, _)| name.starts_with("Hello")) {
        for end in 0..golden.len() {
            assert!(decode::<Hello>(&golden[..end]).is_err(), "{name}, {end} bytes");
        }
        assert!(decode::<Hello>(&[&golden[..], &[0]].concat()).is_err(), "{name}, a byte more");
    }
}

#[test]
fn every_type_of_message_has_a_golden() {
    // What is asked is part of Resolve.
    let part = ["Question"];
    let source = include_str!("../../src/wire/message.rs");
    let types = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")))
        .filter_map(|rest| rest.split([' ', '<', '(']).next());
    for name in types.filter(|name| !part.contains(name)) {
        let has = hex::parts(GOLDEN).iter().any(|(golden, _)| golden.split(',').next() == Some(name));
        assert!(has, "{name} is in wire/message.rs and has no golden");
    }
}
