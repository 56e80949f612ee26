"""From source files to typed, validated, repaired columns."""
