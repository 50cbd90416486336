"""What runs on the board: releases that are switched whole."""
