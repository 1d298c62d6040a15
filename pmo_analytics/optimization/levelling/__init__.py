"""Everything approved stays, nobody is overloaded, all ends early."""
