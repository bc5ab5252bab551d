"""The time loops of the recurrent layers, with backpropagation through time written out.

Autograd would record every step: one small matrix product per step and weight gradient, and many
small tensors. Here a step does only what must wait for the step before it: the gradients of the
weights are one large product over all steps, and what the gradients are multiples of is computed
for the whole sequence at once.

Sequences are in bins or plain (see `ernn.train.products`): gate sums gx (k, T, B, gates * n) or
(T, B, gates * n), and all else likewise. Weights and scales of a `Product` are passed one by one,
because autograd looks only at tensors.
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
        before, after = _room(gx, cells)
        gates, resets = torch.empty_like(gx), torch.empty_like(after)
        gx_zr, gx_n = _steps(gx, 2 * cells)
        zr, n = _steps(gates, 2 * cells)
        z, r, _ = _steps(gates, cells)
        h, new_h, rh = (part.unbind(-3) for part in (before, after, resets))
        for t in range(len(h)):
            recurrent.add(gx_zr[t], h[t], out=zr[t])
            zr[t].sigmoid_()
            torch.mul(r[t], h[t], out=rh[t])
            candidate.add(gx_n[t], rh[t], out=n[t])
            n[t].tanh_()
            torch.lerp(h[t], n[t], z[t], out=new_h[t])
        ctx.blocks = blocks
        ctx.save_for_backward(gates, before, resets, *bound)
        return after

    @staticmethod
    def backward(ctx: Any, dafter: Tensor) -> Gradients:  # type: ignore[override]
        gates, before, resets, *bound = ctx.saved_tensors
        recurrent, candidate = _products(ctx.blocks, bound)
        cells = before.shape[-1]
        z, r, n = gates.split(cells, -1)
        dgx = torch.addcmul(gates, gates, gates, value=-1)  # the sigmoid's slope
        dz, dr, dn = dgx.split(cells, -1)
        dz.mul_(n - before)
        dr.mul_(before)
        torch.addcmul(z, z * n, n, value=-1, out=dn)
        dzn = dgx.unflatten(-1, (3, cells))[..., ::2, :].unbind(-4)
        dzrs, dns = _steps(dgx, 2 * cells)
        drs, rs, keeps, dhs = (part.unbind(-3) for part in (dr, r, 1 - z, dafter))
        dh = torch.zeros_like(dhs[0])
        dh_of_both = dh.unsqueeze(-2)
        for t in reversed(range(len(dhs))):
            dh.add_(dhs[t])
            dzn[t].mul_(dh_of_both)
            drh = candidate.adjoint(dns[t])
            drs[t].mul_(drh)
            dh.mul_(keeps[t]).addcmul_(drh, rs[t])
            recurrent.add_adjoint(dh, dzrs[t])
        dzr, dn = dgx.split(2 * cells, -1)
        recurrent_gradients = recurrent.gradients(before, dzr)
        return dgx, None, *recurrent_gradients, *candidate.gradients(resets, dn)


class _GruAfter(torch.autograd.Function):
    """z, r = s(gx + R h); n = tanh(gx + r . (R h + b)); h = (1 - z) . n + z . h."""

    @staticmethod
    def forward(
        ctx: Any, gx: Tensor, bias: Tensor, blocks: tuple[int, ...], *bound: Tensor | None
    ) -> Tensor:
        (recurrent,) = _products(blocks, bound)
        cells = gx.shape[-1] // 3
        before, after = _room(gx, cells)
        gates, sums = torch.empty_like(gx), torch.empty_like(after)  # sums: R h + b
        gx_zr, gx_n = _steps(gx, 2 * cells)
        zr, _ = _steps(gates, 2 * cells)
        z, r, n = _steps(gates, cells)
        h, new_h, u = (part.unbind(-3) for part in (before, after, sums))
        for t in range(len(h)):
            product_zr, product_n = recurrent(h[t]).split(2 * cells, -1)
            torch.add(gx_zr[t], product_zr, out=zr[t])
            zr[t].sigmoid_()
            torch.add(bias, product_n, out=u[t])
            torch.addcmul(gx_n[t], r[t], u[t], out=n[t])
            n[t].tanh_()
            torch.lerp(n[t], h[t], z[t], out=new_h[t])
        ctx.blocks = blocks
        ctx.save_for_backward(gates, before, sums, *bound)
        return after

    @staticmethod
    def backward(ctx: Any, dafter: Tensor) -> Gradients:  # type: ignore[override]
        gates, before, sums, *bound = ctx.saved_tensors
        (recurrent,) = _products(ctx.blocks, bound)
        cells = before.shape[-1]
        z, r, n = gates.split(cells, -1)
        dproduct = torch.addcmul(gates, gates, gates, value=-1)  # the sigmoid's slope
        dz, dr, du = dproduct.split(cells, -1)
        dn = (1 - z) * (1 - n * n)
        dz.mul_(before - n)
        dr.mul_(sums).mul_(dn)
        torch.mul(dn, r, out=du)
        dzrus = dproduct.unflatten(-1, (3, cells)).unbind(-4)
        dps, dns, zs, dhs = (part.unbind(-3) for part in (dproduct, dn, z, dafter))
        dh = torch.zeros_like(dhs[0])
        dh_of_all = dh.unsqueeze(-2)
        for t in reversed(range(len(dhs))):
            dh.add_(dhs[t])
            dzrus[t].mul_(dh_of_all)
            dns[t].mul_(dh)
            dh.mul_(zs[t])
            recurrent.add_adjoint(dh, dps[t])
        dbias = du.sum((-3, -2)).unsqueeze(-2)
        dgx = torch.cat([dz, dr, dn], -1)
        return dgx, dbias, None, *recurrent.gradients(before, dproduct)


class _Lstm(torch.autograd.Function):
    """i, f = s(gx + R y + p . c); c = f . c + i . g; o = s(gx + R y + p . c); y = P (o . tanh(c)).

    `peepholes` is (k, 3, n), (3, n) or None; without a projection, y is o . tanh(c).
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
        before, after = _room(gx, cells)
        gates, tanhs = torch.empty_like(gx), torch.empty_like(after)
        y_before, y_after = _room(gx, project[0].outputs(blocks[0]) if project else cells)
        hidden = torch.empty_like(after) if project else y_after
        i, f, g, o = _steps(gates, cells)
        pairs = gates[..., : 2 * cells].unflatten(-1, (2, cells)).unbind(-4)
        gxs, sums, c, new_c = (part.unbind(-3) for part in (gx, gates, before, after))
        tanh, m, y, new_y = (part.unbind(-3) for part in (tanhs, hidden, y_before, y_after))
        if peepholes is not None:
            peep_pairs, peep_o = peepholes[..., None, :2, :], peepholes[..., 2:, :]
            c_of_both = [state.unsqueeze(-2) for state in c]
        for t in range(len(c)):
            recurrent.add(gxs[t], y[t], out=sums[t])
            if peepholes is not None:
                pairs[t].addcmul_(peep_pairs, c_of_both[t])
            pairs[t].sigmoid_()
            g[t].tanh_() if squash == "tanh" else g[t].sigmoid_()
            torch.mul(f[t], c[t], out=new_c[t]).addcmul_(i[t], g[t])
            if peepholes is not None:
                o[t].addcmul_(peep_o, new_c[t])
            torch.tanh(new_c[t], out=tanh[t])
            torch.mul(o[t].sigmoid_(), tanh[t], out=m[t])
            if project:
                new_y[t].copy_(project[0](m[t]))
        ctx.squash, ctx.blocks = squash, blocks
        ctx.save_for_backward(gates, before, after, tanhs, hidden, y_before, peepholes, *bound)
        return y_after

    @staticmethod
    def backward(ctx: Any, doutputs: Tensor) -> Gradients:  # type: ignore[override]
        gates, before, after, tanhs, hidden, y_before, peepholes, *bound = ctx.saved_tensors
        recurrent, *project = _products(ctx.blocks, bound)
        cells = before.shape[-1]
        i, f, g, o = gates.split(cells, -1)
        dgx = torch.addcmul(gates, gates, gates, value=-1)  # the sigmoid's slope
        di, df, dg, do = dgx.split(cells, -1)
        if ctx.squash == "tanh":
            torch.sub(1, g * g, out=dg)
        for slope, factor in ((di, g), (df, before), (dg, i), (do, tanhs)):
            slope.mul_(factor)
        keep, seen = f, o * (1 - tanhs * tanhs)  # what c passes on to the next c, and to m
        if peepholes is not None:
            pi, pf, po = peepholes.unsqueeze(-3).split(1, -2)
            keep = f + di * pi + df * pf
            seen.addcmul_(do, po)
        difg = dgx[..., : 3 * cells].unflatten(-1, (3, cells)).unbind(-4)
        dsums, dos, keeps, seens = (part.unbind(-3) for part in (dgx, do, keep, seen))
        dy_before, dy_after = _room(doutputs, doutputs.shape[-1])
        dy, new_dy = dy_before.unbind(-3), dy_after.copy_(doutputs).unbind(-3)
        dc = torch.zeros_like(dos[0])
        dc_of_all = dc.unsqueeze(-2)
        for t in reversed(range(len(dos))):
            dm = project[0].adjoint(new_dy[t]) if project else new_dy[t]
            dos[t].mul_(dm)
            dc.addcmul_(dm, seens[t])
            difg[t].mul_(dc_of_all)
            dc.mul_(keeps[t])
            recurrent.add_adjoint(dy[t], dsums[t])
        dpeepholes = None
        if peepholes is not None:
            looks = ((di, before), (df, before), (do, after))
            dpeepholes = torch.stack([(d * c).sum((-3, -2)) for d, c in looks], -2)
        gradients = [*recurrent.gradients(y_before, dgx)]
        if project:
            gradients += project[0].gradients(hidden, dy_after)
        return dgx, dpeepholes, None, None, *gradients


def gru_before(gx: Tensor, recurrent: Product, candidate: Product) -> Tensor:
    """Run a GRU whose reset gate acts before the product: gate sums -> states."""
    return _GruBefore.apply(gx, *_bound(gx, recurrent, candidate))


def gru_after(gx: Tensor, bias: Tensor, recurrent: Product) -> Tensor:
    """Run a GRU whose reset gate acts after the product: gate sums -> states.

    `bias`, (k, 1, n) or (1, n), joins the candidates' product before the reset gate multiplies it.
    """
    return _GruAfter.apply(gx, bias, *_bound(gx, recurrent))


def lstm(
    gx: Tensor,
    peepholes: Tensor | None,
    squash: str,
    recurrent: Product,
    projection: Product | None,
) -> Tensor:
    """Run an LSTM: gate sums -> outputs.

    Args:
        gx: what the input and the bias add to the gates, in the order i, f, g, o.
        peepholes: (k, 3, n) or (3, n) of i, f, o, or None.
        squash: "tanh" or "sigmoid", the activation of g.
        recurrent: the product with the outputs.
        projection: the product that makes the outputs, or None where they are o . tanh(c).
    """
    products = [recurrent] if projection is None else [recurrent, projection]
    return _Lstm.apply(gx, peepholes, squash, *_bound(gx, *products))


def _bound(gx: Tensor, *products: Product) -> list[Any]:
    """Return the products' blocks and tensors; `_products` turns them back.

    Under autocast transformed weights may come in 16 bits: the loop works in the type of gx.
    """
    tensors = [tensor for product in products for tensor in (product.weights, product.scale)]
    same = [None if tensor is None else tensor.to(gx.dtype) for tensor in tensors]
    return [tuple(product.block for product in products), *same]


def _products(blocks: tuple[int, ...], bound: Any) -> list[Product]:
    triples = zip(bound[::2], bound[1::2], blocks, strict=True)
    return [Product(weights, scale, block) for weights, scale, block in triples]


def _room(like: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return room for the vectors before and after each step; the first are zeros."""
    *bins, steps, batch, _ = like.shape
    room = like.new_empty(*bins, steps + 1, batch, size)
    room.select(-3, 0).zero_()
    return room.narrow(-3, 0, steps), room.narrow(-3, 1, steps)


def _steps(x: Tensor, size: int) -> list[tuple[Tensor, ...]]:
    """Split the last axis into parts of this size, and each part into its steps."""
    return [part.unbind(-3) for part in x.split(size, -1)]
