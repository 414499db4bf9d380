//! The model: which properties are judged of which world.

use std::sync::Arc;

use stateright::{Model, Property};

use crate::moves::Move;
use crate::rules::{Bounds, Rules};
use crate::seen::Seen;
use crate::world::World;

/// Two sides, a wire and an operator, under `rules` and within `bounds`.
pub(crate) struct Handover {
    pub(crate) rules: Rules,
    pub(crate) bounds: Bounds,
    pub(crate) properties: Vec<Property<Handover>>,
    pub(crate) seen: Arc<Seen>,
}

impl Model for Handover {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        vec![World::new()]
    }

    fn actions(&self, world: &World, moves: &mut Vec<Move>) {
        // Behind a fault lies nothing worth knowing.
        if world.wrong.is_none() && world.running() < 2 {
            self.moves(world, moves);
        }
    }

    fn next_state(&self, world: &World, action: Move) -> Option<World> {
        let next = self.apply(world, action);
        (next != *world).then_some(next)
    }

    fn format_action(&self, action: &Move) -> String {
        action.to_string()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.properties.clone()
    }
}
