"""What the lab and the pathways share: registries, files, figures, tables, statistics, configs."""
