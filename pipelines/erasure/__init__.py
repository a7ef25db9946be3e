"""Taking a person out of everything: where they are, how each kind of file loses them."""
