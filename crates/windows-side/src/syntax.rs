//! A script's syntax: its code without comments, and the commands that it calls.

use tree_sitter::{Node, Tree};

/// A parsed script.
#[derive(Debug)]
pub struct Script {
    text: String,
    tree: Tree,
}

/// A command that a script calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// All of it, arguments included.
    pub text: String,
    /// Its name.
    pub name: String,
    /// Where it stands, in bytes.
    pub at: usize,
    /// What it stands in, outermost first: the names of functions, and `catch` and `finally`.
    pub within: Vec<String>,
}

impl Script {
    /// Parses a script.
    ///
    /// # Panics
    /// When the grammar does not fit the parser.
    pub fn parse(text: String) -> Self {
        let tree = crate::tree(&text);
        Self { text, tree }
    }

    /// The script without its comments, and so without its help.
    pub fn code(&self) -> String {
        let mut code = String::new();
        let mut from = 0;
        self.walk(|node, _| {
            if node.kind() == "comment" {
                code += &self.text[from..node.start_byte()];
                from = node.end_byte();
            }
        });
        code + &self.text[from..]
    }

    /// The commands in the order of the text.
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        self.walk(|node, within| {
            if node.kind() == "command"
                && let Some(name) = node.child_by_field_name("command_name")
            {
                let (text, name) = (self.of(node).to_owned(), self.of(name).to_owned());
                calls.push(Call { text, name, at: node.start_byte(), within: within.to_vec() });
            }
        });
        calls
    }

    /// The calls of one command.
    pub fn calls_of(&self, name: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.name == name).collect()
    }

    /// The text of a function.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn function(&self, name: &str) -> &str {
        let mut found = None;
        self.walk(|node, _| {
            if node.kind() == "function_statement" && self.name_of(node).as_deref() == Some(name) {
                found = Some(node.byte_range());
            }
        });
        &self.text[found.unwrap_or_else(|| panic!("no function {name}"))]
    }

    fn of(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// The name that a node gives what is in it.
    fn name_of(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "function_statement" => {
                let name = children(node).into_iter().find(|child| child.kind() == "function_name")?;
                Some(self.of(name).to_owned())
            }
            "catch_clause" => Some("catch".to_owned()),
            "finally_clause" => Some("finally".to_owned()),
            _ => None,
        }
    }

    /// Every node, in the order of the text, with what it stands in.
    fn walk(&self, mut visit: impl FnMut(Node<'_>, &[String])) {
        let mut nodes = vec![(self.tree.root_node(), Vec::new())];
        while let Some((node, within)) = nodes.pop() {
            visit(node, &within);
            let inner: Vec<String> = within.iter().cloned().chain(self.name_of(node)).collect();
            nodes.extend(children(node).into_iter().rev().map(|child| (child, inner.clone())));
        }
    }
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}
