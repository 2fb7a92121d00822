"""The demonstration: real usage, loaded and replayed over HTTP into a throw-away appliance, and every figure checked."""
