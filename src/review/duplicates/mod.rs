//! Finds incidents that likely tell of one event, and lets a reviewer say that two do not.
//!
//! A `worker` follows the change sequence after the commit; taking a report in waits for none of it. An incident is
//! compared with those of its `blocks` (its cell and the ones around it, its country where nothing is known of the point)
//! whose days are near, never with all. `load` reads what is compared, `told` what a text says in either language; `score`
//! weighs it, pure and the same both ways round, so that what is found does not depend on what came first. `store` keeps
//! pairs with figures, no words. What of it is shown to whom stands in `incidents::likely`; `http` shows it, `dismissal`
//! takes a reviewer's word.
//!
//! A pair is of the incidents that two reports opened, merged or not: what was merged is looked up under its survivor, and
//! stands on its own again after a split, without being compared anew.

pub mod blocks;
pub mod dismissal;
pub mod http;
pub mod load;
pub mod score;
pub mod store;
pub mod told;
pub mod worker;
