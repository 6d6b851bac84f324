"""The paper's figures, on XLand-MiniGrid in place of DeepMind Lab."""
