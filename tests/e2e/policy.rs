//! Rules from a trusted ref, and what a change of the policy loosens.
