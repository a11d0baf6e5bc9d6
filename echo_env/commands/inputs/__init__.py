"""What commands are told: their options, decisions, sheets, labs of a calibration."""
