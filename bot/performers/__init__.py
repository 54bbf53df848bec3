"""How each kind of effect is carried out: the only place where the house's rows become calls to the outside."""
