"""What is watched: targets for the collectors, parts that devices report."""
