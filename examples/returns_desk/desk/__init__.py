"""The returns desk: agents on kernos that read tickets, find the order, decide under the written policy, and act."""
