"""What ``enjoy`` and ``record_video`` do otherwise than rl_zoo3's scripts."""
