"""The generator: a small LSTM that writes a candidate as tokens, told what it may cost.

Source: the generator of arXiv:2012.13801, which writes pruning scheme and rate layer by layer and
is trained by policy gradients (REINFORCE, Williams 1992) on score and the compiler's own latency.
Ours writes block size and share of tiles matrix by matrix, and is told a budget, so that one
generator knows the whole front.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ernn.search.candidate_space import Space
from ernn.search.candidates import Candidate

HIDDEN = 32
BATCH = 32
RATE = 1e-2
ENTROPY = 0.02  # what a nat of it is worth, in units of the reward

# The reward of candidates, each written for a budget from 0 (the least cost) to 1 (the most)
Reward = Callable[[Sequence[Candidate], np.ndarray], np.ndarray]


class Controller(nn.Module):
    """Writes candidates of a space; tokens that may not follow have no probability."""

    def __init__(self, space: Space, seed: int) -> None:
        """Draw weights.

        Args:
            space: of the candidates.
            seed: of the weights and of all that is written.
        """
        super().__init__()
        self.space = space
        self.generator = torch.Generator().manual_seed(seed)
        blocks, keeps = len(space.blocks), len(space.keeps)
        self.written = nn.Embedding(1 + blocks + keeps, HIDDEN)  # the token before
        self.place = nn.Embedding(space.length, HIDDEN)
        self.budget = nn.Linear(1, HIDDEN)
        self.cell = nn.LSTMCell(HIDDEN, HIDDEN)
        self.heads = nn.ModuleList([nn.Linear(HIDDEN, blocks), nn.Linear(HIDDEN, keeps)])
        with torch.no_grad():
            for weight in self.parameters():
                weight.normal_(0, HIDDEN**-0.5, generator=self.generator)
            for head in self.heads:  # nothing is preferred yet
                for weight in head.parameters():
                    weight.mul_(0.1)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=RATE)
        self.baseline = 0.0
        self.seen = 0

    def write(self, budgets: np.ndarray) -> tuple[list[Candidate], Tensor, Tensor]:
        """Write a candidate for each budget.

        Args:
            budgets: (N,), from 0 to 1.

        Returns:
            The candidates, the logarithms of their probabilities (N,), and the entropy of what
            could have been written, per token (N,).
        """
        count = len(budgets)
        told = self.budget(torch.tensor(budgets[:, None], dtype=torch.float32) - 0.5)
        tokens: list[list[int]] = [[] for _ in range(count)]
        state = (torch.zeros(count, HIDDEN), torch.zeros(count, HIDDEN))
        before = torch.zeros(count, dtype=torch.long)
        chances, entropy = torch.zeros(count), torch.zeros(count)
        for place in range(self.space.length):
            kind = place % 2  # a block, or a share of tiles
            step = torch.tensor(place)
            state = self.cell(self.written(before) + self.place(step) + told, state)
            legal = torch.from_numpy(np.stack([self.space.mask(one) for one in tokens]))
            scores = self.heads[kind](state[0]).masked_fill(~legal, -torch.inf)
            logs = torch.log_softmax(scores, -1)
            chosen = torch.multinomial(logs.exp(), 1, generator=self.generator)
            chances = chances + logs.gather(1, chosen).squeeze(1)
            entropy = entropy - (logs.exp() * logs.masked_fill(~legal, 0.0)).sum(-1)
            for one, token in zip(tokens, chosen.squeeze(1).tolist(), strict=True):
                one.append(token)
            before = 1 + chosen.squeeze(1) + kind * len(self.space.blocks)
        found = [self.space.candidate(one) for one in tokens]
        return found, chances, entropy / self.space.length

    @torch.no_grad()
    def propose(self, count: int) -> list[Candidate]:
        """Write candidates for budgets spread evenly."""
        return self.write((np.arange(count) + 0.5) / count)[0]

    def learn(self, reward: Reward, steps: int) -> None:
        """Make what is rewarded more likely.

        Args:
            reward: of candidates and the budgets that they were written for.
            steps: of REINFORCE, with a moving average of rewards as its baseline.
        """
        for _ in range(steps):
            shift = torch.rand(1, generator=self.generator).item()
            budgets = (np.arange(BATCH) + shift) / BATCH
            written, chances, entropy = self.write(budgets)
            rewards = reward(written, budgets)
            self.seen += 1
            self.baseline += (float(rewards.mean()) - self.baseline) / min(self.seen, 20)
            gain = torch.tensor(rewards - self.baseline, dtype=torch.float32)
            loss = -(gain * chances + ENTROPY * self.space.length * entropy).mean()
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            self.optimizer.step()
