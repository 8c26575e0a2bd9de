"""Products of matrices and vectors, under all the names that PyTorch has for them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn, randn

from .case import Call, Function, case


@case(3 * 4 * 5 * 7, accesses=3 * 4 * 5 + 5 * 7 + 7 + 3 * 4 * 7)
def functional_linear() -> Call:
    """Rows 3 * 4, 5 in, 7 out; the bias is added, not multiplied."""
    return Call(Function(lambda _, x, w, b: F.linear(x, w, b)), (randn(3, 4, 5), randn(7, 5), randn(7)))


@case(2 * 3 * 5 * 7, parameters=35)
def parameter_used_by_operator() -> Call:
    """No submodule at all: rows 2 * 3, 5 in, 7 out."""
    return Call(Function(lambda self, x: x @ self.weight, weight=nn.Parameter(randn(5, 7))), (randn(2, 3, 5),))


@case(5 * 7)
def vector_times_matrix() -> Call:
    """A vector of 5 with 7 columns."""
    return Call(Function(lambda _, x, y: x @ y), (randn(5), randn(5, 7)))


@case(2 * 3 * 4 * 5)
def batch_times_vector() -> Call:
    """Every row, 2 * 3 * 4 of them, with a vector of 5."""
    return Call(Function(lambda _, x, y: torch.matmul(x, y)), (randn(2, 3, 4, 5), randn(5)))


@case(2 * 3 * 5 * 4)
def vector_times_batch() -> Call:
    """A vector of 5 with the 4 columns of 2 * 3 matrices."""
    return Call(Function(lambda _, x, y: torch.matmul(x, y)), (randn(5), randn(2, 3, 5, 4)))


@case(3 * 2 * 4 * 5 * 6)
def both_batches_broadcast() -> Call:
    """Batches (3, 1) and (2,) make 3 * 2 products of 4 x 5 with 5 x 6."""
    return Call(Function(lambda _, x, y: x @ y), (randn(3, 1, 4, 5), randn(2, 5, 6)))


@case(2 * 4 * 5 * 6)
def shared_left_matrix() -> Call:
    """One 4 x 5 matrix with a batch of two 5 x 6."""
    return Call(Function(lambda _, x, y: x @ y), (randn(4, 5), randn(2, 5, 6)))


@case(4 * 5 + 5 + 4 * 5)
def vectors() -> Call:
    """A matrix with a vector (mv, 4 * 5), two vectors (dot, 5), and addmv (4 * 5)."""

    def forward(_: Any, m: Tensor, v: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        return torch.mv(m, v), torch.dot(v, v), torch.addmv(b, m, v)

    return Call(Function(forward), (randn(4, 5), randn(5), randn(4)))


@case(6 * 5)
def batched_vector_dot() -> Call:
    """Six pairs of vectors of 5: products and sums, also where torch multiplies and sums in two steps."""
    return Call(Function(lambda _, x, y: torch.linalg.vecdot(x, y)), (randn(6, 5), randn(6, 5)))


@case(4 * 6 * 5)
def inner_product() -> Call:
    """Rows with rows: 4 * 6 pairs of vectors of 5."""
    return Call(Function(lambda _, x, y: torch.inner(x, y)), (randn(4, 5), randn(6, 5)))


@case(4 * 5 * 6)
def addmm_without_addend() -> Call:
    """With beta = 0 nothing is added, the product is 4 * 5 * 6."""
    return Call(Function(lambda _, c, a, b: torch.addmm(c, a, b, beta=0)), (randn(4, 6), randn(4, 5), randn(5, 6)))


@case(3 * 4 * 5 * 6)
def baddbmm_in_place() -> Call:
    """Three products of 4 x 5 with 5 x 6, added to what is there."""

    def forward(_: Any, c: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.zeros_like(c).baddbmm_(a, b, alpha=2)

    return Call(Function(forward), (randn(3, 4, 6), randn(3, 4, 5), randn(3, 5, 6)))


@case(3 * 4 * 5 * 6)
def batches_summed() -> Call:
    """A sum of three products (addbmm) is three products."""
    return Call(Function(lambda _, c, a, b: torch.addbmm(c, a, b)), (randn(4, 6), randn(3, 4, 5), randn(3, 5, 6)))


@case(2 * 4 * 5 * 6)
def product_into_given_memory() -> Call:
    """Twice 4 * 5 * 6: mm and matmul with out=."""

    def forward(_: Any, a: Tensor, b: Tensor) -> Tensor:
        out = a.new_empty(4, 6)
        torch.mm(a, b, out=out)
        torch.matmul(a, b, out=out)
        return out

    return Call(Function(forward), (randn(4, 5), randn(5, 6)))


@case(4 * 6)
def rank_one_update() -> Call:
    """A matrix of 4 x 6 plus an outer product (addr, the ger of BLAS): one multiply-add an element."""
    return Call(Function(lambda _, c, x, y: torch.addr(c, x, y)), (randn(4, 6), randn(4), randn(6)))


@case(2 * 3 * 4 * 6 * 5 + 2 * 3 * 4 * 6 * 7)
def einsum_attention() -> Call:
    """Scores over width 5, then values of width 7: 2 * 3 * (4 * 6) pairs each."""

    def forward(_: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k).softmax(-1)
        return torch.einsum("bhqk,bkhd->bqhd", scores, v)

    return Call(Function(forward), (randn(2, 4, 3, 5), randn(2, 6, 3, 5), randn(2, 6, 3, 7)))


@case(2 * 4 * 5 * 6 * 7)
def einsum_with_ellipsis() -> Call:
    """Rows 2 * 4, contracted over 5 * 6 into 7."""
    return Call(Function(lambda _, x, w: torch.einsum("...ij,ijo->...o", x, w)), (randn(2, 4, 5, 6), randn(5, 6, 7)))


@case(4 * 5)
def einsum_to_a_number() -> Call:
    """All 4 * 5 products summed into one number."""
    return Call(Function(lambda _, x, y: torch.einsum("ij,ij->", x, y)), (randn(4, 5), randn(4, 5)))


@case(3 * 5 * 6 * 4 + 3 * 6 * 4)
def einsum_of_three() -> Call:
    """Contracted from the left: 3 rows of 5 with 6 * 4 columns, then 3 * 6 sums over 4."""

    def forward(_: Any, x: Tensor, w: Tensor, y: Tensor) -> Tensor:
        return torch.einsum("bi,oij,bj->bo", x, w, y)

    return Call(Function(forward), (randn(3, 5), randn(6, 5, 4), randn(3, 4)))


@case(3 * 6 * 5 * 4 + 3 * 6 * 4, parameters=6 * 5 * 4 + 6)
def bilinear() -> Call:
    """For 3 pairs and 6 outputs a 5 x 4 matrix with the first vector, and the result with the second, of 4."""
    return Call(nn.Bilinear(5, 4, 6), (randn(3, 5), randn(3, 4)))


@case(2 * 7 * 3 * 4 * 5)
def tensordot() -> Call:
    """Two tensors contracted over 3, 4 and 5; 2 and 7 remain."""
    return Call(Function(lambda _, x, y: torch.tensordot(x, y, dims=3)), (randn(2, 3, 4, 5), randn(3, 4, 5, 7)))


@case(40 * 5 + 3 * 40 + 10 * 3)
def best_order_of_a_chain() -> Call:
    """The product (10 x 3)(3 x 40)(40 x 5)(5) is cheapest from the right, and multi_dot finds that."""

    def forward(_: Any, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Any:
        return torch.linalg.multi_dot([a, b, c, d])

    return Call(Function(forward), (randn(10, 3), randn(3, 40), randn(40, 5), randn(5)))


@case(10 * 3 * 40 + 10 * 40 * 5 + 10 * 5)
def chain_from_the_left() -> Call:
    """The same by operators: they run from left to right."""
    inputs = (randn(10, 3), randn(3, 40), randn(40, 5), randn(5))
    return Call(Function(lambda _, a, b, c, d: a @ b @ c @ d), inputs)


@case(3 * 6**3)
def matrix_power() -> Call:
    """The fifth power by squaring: x^2, x^4, x^4 x; three products of 6 x 6 matrices."""
    return Call(Function(lambda _, x: torch.linalg.matrix_power(x, 5)), (randn(6, 6),))


@case(4 * 4 * 9)
def covariance() -> Call:
    """Four variables with each other over 9 observations."""
    return Call(Function(lambda _, x: torch.cov(x)), (randn(4, 9),))


@case(4 * 5 * 6)
def complex_product() -> Call:
    """Complex numbers: a product of elements is one, 4 * 5 * 6 of them."""
    inputs = (randn(4, 5, dtype=torch.complex64), randn(5, 6, dtype=torch.complex64))
    return Call(Function(lambda _, x, y: x @ y), inputs)


@case(4 * 5 * 6)
def integer_product() -> Call:
    """Integers are multiplied as well."""
    return Call(Function(lambda _, x, y: x @ y), (torch.ones(4, 5).long(), torch.ones(5, 6).long()))


@case(4 * 5 * 6, accesses=5 * 4 + 5 * 6 + 4 * 6)
def transposed_operands() -> Call:
    """Transposes are views: 4 * 5 * 6, and nothing is copied."""
    return Call(Function(lambda _, x, y: torch.mm(x.t(), y.t())), (randn(5, 4), randn(6, 5)))


@case(0, parameters=5 * 7 + 7)
def linear_without_rows() -> Call:
    """A batch of nothing."""
    return Call(nn.Linear(5, 7), (randn(0, 5),))


@case(3 * 5 * 7)
def half_precision() -> Call:
    """The element type changes nothing: 3 * 5 * 7."""
    return Call(nn.Linear(5, 7).half(), (randn(3, 5).half(),))


@case(2 * 4 * 6 * 11, parameters=11 * 6)
def tied_head() -> Call:
    """The table gathers (0) on the way in and multiplies on the way out: 2 * 4 tokens, 6 wide, 11 words."""

    def forward(self: Any, tokens: Tensor) -> Any:
        return F.linear(self.table(tokens), self.table.weight)

    return Call(Function(forward, table=nn.Embedding(11, 6)), (torch.zeros(2, 4, dtype=torch.long),))


@case(2 * 8 * (3 * 3 * 3) * (6 * 5))
def convolution_by_unfolding() -> Call:
    """Windows of 3 * 3 * 3 as columns, 8 filters, 6 * 5 places of 2 images."""

    def forward(_: Any, x: Tensor, w: Tensor) -> Tensor:
        return F.fold(w.flatten(1) @ F.unfold(x, 3, padding=1), (6, 5), 1)

    return Call(Function(forward), (randn(2, 3, 6, 5), randn(8, 3, 3, 3)))


@case(3 * 4 * 4 + 3 * 4 * 4)
def outer_product_by_broadcast_and_by_matmul() -> Call:
    """A column with a row through matmul is a product (3 * 4 * 4, twice); the same by broadcasting is element-wise."""

    def forward(_: Any, x: Tensor) -> Tensor:
        column, row = x.unsqueeze(2), x.unsqueeze(1)
        return column @ row + torch.bmm(column, row) + column * row

    return Call(Function(forward), (randn(3, 4),))
