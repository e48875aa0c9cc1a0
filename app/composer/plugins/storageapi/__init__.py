"""What DAGs need of the storage API. It lies among the plugins since the triggerer imports nothing from the DAGs' folder."""
