"""The tools that synthesize, place and route: a folder for each flow, which families name."""
