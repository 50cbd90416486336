"""How good an answer is: pure functions, arrays in, numbers out."""
