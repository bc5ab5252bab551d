"""The time loops of the recurrent layers, with backpropagation through time written out.

Autograd would record every step: one small matrix product per step and weight gradient, and many
small tensors. Here a step does only what must wait for the step before it; the gradients of the
weights are one large product over all steps, and what the gradients are multiples of is computed
for the whole sequence at once.

Vectors are in bins (see `ernn.train.products`): gate sums gx (k, T, B, gates * n), states
(k, T, B, n). Weights and scales of a `Product` are passed one by one, because autograd looks only
at tensors.
"""

from typing import Any

import torch
from torch import Tensor

from ernn.train.products import Product

Gradients = tuple[Tensor | None, ...]


class _GruBefore(torch.autograd.Function):
    """z, r = s(gx + R h); n = tanh(gx + U (r . h)); h = (1 - z) . h + z . n."""

    @staticmethod
    def forward(ctx: Any, gx: Tensor, blocks: tuple[int, ...], *bound: Tensor | None) -> Tensor:
        recurrent, candidate = _products(blocks, bound)
        cells = gx.shape[-1] // 3
        gates, states = torch.empty_like(gx), _room(gx, cells)
        resets = torch.empty_like(states[:, 1:])
        gx_zr, gx_n = _steps(gx, 2 * cells)
        zr, n = _steps(gates, 2 * cells)
        z, r, _ = _steps(gates, cells)
        h, rh = states.unbind(1), resets.unbind(1)
        for t in range(gx.shape[1]):
            recurrent.add(gx_zr[t], h[t], out=zr[t])
            zr[t].sigmoid_()
            torch.mul(r[t], h[t], out=rh[t])
            candidate.add(gx_n[t], rh[t], out=n[t])
            n[t].tanh_()
            torch.lerp(h[t], n[t], z[t], out=h[t + 1])
        ctx.blocks = blocks
        ctx.save_for_backward(gates, states, resets, *bound)
        return states[:, 1:]

    @staticmethod
    def backward(ctx: Any, dstates: Tensor) -> Gradients:  # type: ignore[override]
        gates, states, resets, *bound = ctx.saved_tensors
        recurrent, candidate = _products(ctx.blocks, bound)
        before, cells = states[:, :-1], states.shape[-1]
        z, r, n = gates.split(cells, -1)
        keep = 1 - z
        dgx = torch.addcmul(gates, gates, gates, value=-1)  # the sigmoid's slope
        dz, dr, dn = dgx.split(cells, -1)
        dz.mul_(n - before)
        dr.mul_(before)
        torch.addcmul(z, z * n, n, value=-1, out=dn)
        dzn = dgx.unflatten(-1, (3, cells))[..., ::2, :].unbind(1)
        dzrs, dns = _steps(dgx, 2 * cells)
        _, drs, _ = _steps(dgx, cells)
        keeps, rs, dhs = keep.unbind(1), r.unbind(1), dstates.unbind(1)
        dh = torch.zeros_like(states[:, 0])
        for t in reversed(range(len(dhs))):
            dh += dhs[t]
            dzn[t].mul_(dh.unsqueeze(-2))
            drh = candidate.adjoint(dns[t])
            drs[t].mul_(drh)
            dh.mul_(keeps[t]).addcmul_(drh, rs[t]).add_(recurrent.adjoint(dzrs[t]))
        dzr, dn = dgx.split(2 * cells, -1)
        return (
            dgx,
            None,
            *recurrent.gradients(before, dzr),
            *candidate.gradients(resets, dn),
        )


class _GruAfter(torch.autograd.Function):
    """z, r = s(gx + R h); n = tanh(gx + r . (R h + b)); h = (1 - z) . n + z . h."""

    @staticmethod
    def forward(
        ctx: Any, gx: Tensor, bias: Tensor, blocks: tuple[int, ...], *bound: Tensor | None
    ) -> Tensor:
        (recurrent,) = _products(blocks, bound)
        cells = gx.shape[-1] // 3
        gates, states = torch.empty_like(gx), _room(gx, cells)
        sums = torch.empty_like(states[:, 1:])  # R h + b of the candidates
        gx_zr, gx_n = _steps(gx, 2 * cells)
        zr, _ = _steps(gates, 2 * cells)
        z, r, n = _steps(gates, cells)
        h, u = states.unbind(1), sums.unbind(1)
        for t in range(gx.shape[1]):
            product = recurrent(h[t])
            torch.add(gx_zr[t], product[..., : 2 * cells], out=zr[t])
            zr[t].sigmoid_()
            torch.add(bias, product[..., 2 * cells :], out=u[t])
            torch.addcmul(gx_n[t], r[t], u[t], out=n[t])
            n[t].tanh_()
            torch.lerp(n[t], h[t], z[t], out=h[t + 1])
        ctx.blocks = blocks
        ctx.save_for_backward(gates, states, sums, *bound)
        return states[:, 1:]

    @staticmethod
    def backward(ctx: Any, dstates: Tensor) -> Gradients:  # type: ignore[override]
        gates, states, sums, *bound = ctx.saved_tensors
        (recurrent,) = _products(ctx.blocks, bound)
        before, cells = states[:, :-1], states.shape[-1]
        z, r, n = gates.split(cells, -1)
        dproduct = torch.addcmul(gates, gates, gates, value=-1)  # the sigmoid's slope
        dz, dr, du = dproduct.split(cells, -1)
        dn = (1 - z) * (1 - n * n)
        dz.mul_(before - n)
        dr.mul_(sums).mul_(dn)
        torch.mul(dn, r, out=du)
        dps, dzrus = dproduct.unbind(1), dproduct.unflatten(-1, (3, cells)).unbind(1)
        dns, zs, dhs = dn.unbind(1), z.unbind(1), dstates.unbind(1)
        dh = torch.zeros_like(states[:, 0])
        for t in reversed(range(len(dhs))):
            dh += dhs[t]
            dzrus[t].mul_(dh.unsqueeze(-2))
            dns[t].mul_(dh)
            dh.mul_(zs[t]).add_(recurrent.adjoint(dps[t]))
        dbias = du.sum((1, 2)).unsqueeze(1)
        dgx = torch.cat([dz, dr, dn], -1)
        return dgx, dbias, None, *recurrent.gradients(before, dproduct)


class _Lstm(torch.autograd.Function):
    """i, f = s(gx + R y + p . c); c = f . c + i . g; o = s(gx + R y + p . c); y = P (o . tanh(c)).

    `peepholes` is (k, 3, n) or None; without a projection, y is o . tanh(c).
    """

    @staticmethod
    def forward(
        ctx: Any,
        gx: Tensor,
        peepholes: Tensor | None,
        squash: str,
        blocks: tuple[int, ...],
        *bound: Tensor | None,
    ) -> Tensor:
        recurrent, *project = _products(blocks, bound)
        cells = gx.shape[-1] // 4
        gates, states = torch.empty_like(gx), _room(gx, cells)
        tanhs = torch.empty_like(states[:, 1:])
        outputs = _room(gx, project[0].outputs(len(gx)) if project else cells)
        hidden = torch.empty_like(tanhs) if project else outputs[:, 1:]
        gxs, sums, ifs = gx.unbind(1), gates.unbind(1), gates[..., : 2 * cells].unbind(1)
        i, f, g, o = _steps(gates, cells)
        c, tanh, m, y = (part.unbind(1) for part in (states, tanhs, hidden, outputs))
        for t in range(len(gxs)):
            recurrent.add(gxs[t], y[t], out=sums[t])
            if peepholes is not None:
                pairs = ifs[t].unflatten(-1, (2, cells))
                pairs.addcmul_(peepholes[:, None, :2], c[t].unsqueeze(-2))
            ifs[t].sigmoid_()
            g[t].tanh_() if squash == "tanh" else g[t].sigmoid_()
            torch.mul(f[t], c[t], out=c[t + 1]).addcmul_(i[t], g[t])
            if peepholes is not None:
                o[t].addcmul_(peepholes[:, 2:], c[t + 1])
            torch.tanh(c[t + 1], out=tanh[t])
            torch.mul(o[t].sigmoid_(), tanh[t], out=m[t])
            if project:
                y[t + 1].copy_(project[0](m[t]))
        ctx.squash, ctx.blocks = squash, blocks
        ctx.save_for_backward(gates, states, tanhs, hidden, outputs, peepholes, *bound)
        return outputs[:, 1:]

    @staticmethod
    def backward(ctx: Any, doutputs: Tensor) -> Gradients:  # type: ignore[override]
        gates, states, tanhs, hidden, outputs, peepholes, *bound = ctx.saved_tensors
        recurrent, *project = _products(ctx.blocks, bound)
        before, after, cells = states[:, :-1], states[:, 1:], states.shape[-1]
        i, f, g, o = gates.split(cells, -1)
        dgx = torch.addcmul(gates, gates, gates, value=-1)  # the sigmoid's slope
        di, df, dg, do = dgx.split(cells, -1)
        if ctx.squash == "tanh":
            torch.addcmul(torch.ones_like(g), g, g, value=-1, out=dg)
        di.mul_(g)
        df.mul_(before)
        dg.mul_(i)
        do.mul_(tanhs)
        keep, seen = f, o * (1 - tanhs * tanhs)  # what c passes on to the next c, and to m
        if peepholes is not None:
            pi, pf, po = peepholes[:, None].split(1, 2)
            keep = f + di * pi + df * pf
            seen.addcmul_(do, po)
        ifg = dgx[..., : 3 * cells].unflatten(-1, (3, cells)).unbind(1)
        sums, dos, keeps, seens = (part.unbind(1) for part in (dgx, do, keep, seen))
        dys = doutputs.clone()
        dy, dc = dys.unbind(1), torch.zeros_like(states[:, 0])
        back = torch.zeros_like(outputs[:, 0])
        for t in reversed(range(len(dy))):
            dy[t].add_(back)
            dm = project[0].adjoint(dy[t]) if project else dy[t]
            dos[t].mul_(dm)
            dc.addcmul_(dm, seens[t])
            ifg[t].mul_(dc.unsqueeze(-2))
            dc.mul_(keeps[t])
            back = recurrent.adjoint(sums[t])
        dpeepholes = None
        if peepholes is not None:
            seen_by = ((di, before), (df, before), (do, after))
            dpeepholes = torch.stack([(d * c).sum((1, 2)) for d, c in seen_by], 1)
        gradients = [*recurrent.gradients(outputs[:, :-1], dgx)]
        if project:
            gradients += project[0].gradients(hidden, dys)
        return dgx, dpeepholes, None, None, *gradients


def gru_before(gx: Tensor, recurrent: Product, candidate: Product) -> Tensor:
    """Run a GRU whose reset gate acts before the product: (k, T, B, 3 n) -> (k, T, B, n)."""
    return _GruBefore.apply(gx, *_bound(recurrent, candidate))


def gru_after(gx: Tensor, bias: Tensor, recurrent: Product) -> Tensor:
    """Run a GRU whose reset gate acts after the product: (k, T, B, 3 n) -> (k, T, B, n).

    `bias` (k, 1, n) is that of the candidates' product, which the reset gate multiplies.
    """
    return _GruAfter.apply(gx, bias, *_bound(recurrent))


def lstm(
    gx: Tensor,
    peepholes: Tensor | None,
    squash: str,
    recurrent: Product,
    projection: Product | None,
) -> Tensor:
    """Run an LSTM: (k, T, B, 4 n) -> (k, T, B, outputs).

    Args:
        gx: what the input and the bias add to the gate sums, in the order i, f, g, o.
        peepholes: (k, 3, n) of i, f, o, or None.
        squash: "tanh" or "sigmoid", the activation of g.
        recurrent: the product with the outputs.
        projection: the product that makes the outputs, or None where they are the hidden values.
    """
    products = [recurrent] if projection is None else [recurrent, projection]
    return _Lstm.apply(gx, peepholes, squash, *_bound(*products))


def _bound(*products: Product) -> list[Any]:
    """Return the products' blocks and tensors; `_products` turns them back."""
    tensors = [tensor for product in products for tensor in (product.weights, product.scale)]
    return [tuple(product.block for product in products), *tensors]


def _products(blocks: tuple[int, ...], bound: Any) -> list[Product]:
    triples = zip(bound[::2], bound[1::2], blocks, strict=True)
    return [Product(weights, scale, block) for weights, scale, block in triples]


def _room(gx: Tensor, size: int) -> Tensor:
    """Return room for vectors before and after each step, (k, 1 + T, B, size); the first is 0."""
    block, steps, batch, _ = gx.shape
    room = gx.new_empty(block, steps + 1, batch, size)
    room[:, 0] = 0
    return room


def _steps(x: Tensor, size: int) -> list[tuple[Tensor, ...]]:
    """Split the last axis into parts of this size, and each part into its steps."""
    return [part.unbind(1) for part in x.split(size, -1)]
