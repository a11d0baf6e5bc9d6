"""The numbers of a lab as functions of the evidence, with what their intervals rest on."""
