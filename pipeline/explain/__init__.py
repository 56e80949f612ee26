"""Why an estimate is what it is: contributions by feature and concept, in numbers and in words."""
