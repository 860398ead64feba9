//! Carrot quest's API.
