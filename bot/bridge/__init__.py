"""The use cases: what a person or an event asks for, one transaction each."""
