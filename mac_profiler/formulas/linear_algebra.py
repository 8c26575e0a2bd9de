"""Factorisations and solvers: FLOPs to leading order (Golub and Van Loan, Matrix Computations), no multiply-adds.

m and n are the rows and columns of one matrix of the batch; iterative parts are counted as in the book's tables.
"""

from __future__ import annotations

from math import prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, traffic
from mac_profiler.graph import Op, Value


def _matrices(value: Value) -> tuple[int, int, int]:
    """Number of matrices, their rows, their columns."""
    return prod(value.shape[:-2]), value.shape[-2], value.shape[-1]


def _matrix(op: Op) -> Value:
    for name in ("A", "self", "input", "LU", "LD"):
        if isinstance(op.args.get(name), Value):
            found: Value = op.args[name]
            return found
    return op.inputs[0]


def _leading(op: Op, per_matrix: float) -> Cost:
    count = _matrices(_matrix(op))[0]
    return traffic(op, flops=floating_flops(op, round(count * per_matrix)))


@formula(*aten("cholesky linalg_cholesky_ex linalg_ldl_factor_ex"))
def cholesky(op: Op) -> Cost:
    """n^3 / 3."""
    return _leading(op, _matrix(op).shape[-1] ** 3 / 3)


@formula(*aten("linalg_lu linalg_lu_factor_ex _linalg_det _linalg_slogdet"))
def lu(op: Op) -> Cost:
    """Twice m n r - (m + n) r^2 / 2 + r^3 / 3, r = min(m, n): 2 n^3 / 3 for a square matrix."""
    _, m, n = _matrices(_matrix(op))
    r = min(m, n)
    return _leading(op, 2 * (m * n * r - (m + n) * r**2 / 2 + r**3 / 3))


@formula("aten._linalg_solve_ex")
def solve(op: Op) -> Cost:
    """A factorisation 2 n^3 / 3 and, for every right-hand side, two substitutions 2 n^2."""
    n = op.args["A"].shape[-1]
    return _leading(op, 2 * n**3 / 3 + 2 * n * _per_matrix(op.args["B"], op))


@formula(*aten("linalg_lu_solve cholesky_solve _cholesky_solve_helper linalg_ldl_solve"))
def substitute_twice(op: Op) -> Cost:
    """Two triangular substitutions: 2 n^2 a right-hand side."""
    factor = op.args.get("input2", op.args.get("A", _matrix(op)))
    return traffic(op, flops=floating_flops(op, 2 * factor.shape[-1] * op.outputs[0].elements))


@formula(*aten("linalg_solve_triangular triangular_solve"))
def substitute(op: Op) -> Cost:
    """One triangular substitution: n^2 a right-hand side."""
    factor = op.args["A"] if "A" in op.args else op.args["self"]
    return traffic(op, flops=floating_flops(op, factor.shape[-1] * op.outputs[0].elements))


def _per_matrix(right: Value, op: Op) -> int:
    return right.elements // max(_matrices(op.args["A"])[0], 1)


@formula("aten.linalg_inv_ex")
def inverse(op: Op) -> Cost:
    """2 n^3."""
    return _leading(op, 2 * _matrix(op).shape[-1] ** 3)


@formula("aten.cholesky_inverse")
def cholesky_inverse(op: Op) -> Cost:
    """2 n^3 / 3."""
    return _leading(op, 2 * _matrix(op).shape[-1] ** 3 / 3)


@formula(*aten("geqrf linalg_qr"))
def qr(op: Op) -> Cost:
    """2 n^2 (m - n / 3) by Householder reflections for m >= n, and as many again to form the reduced Q."""
    _, m, n = _matrices(_matrix(op))
    long, short = max(m, n), min(m, n)
    times = 1 if op.target == "aten.geqrf" or op.args.get("mode") == "r" else 2
    return _leading(op, times * 2 * short**2 * (long - short / 3))


@formula("aten.linalg_householder_product")
def householder_product(op: Op) -> Cost:
    """4 m n k - 2 (m + n) k^2 + 4 k^3 / 3 for k reflections (LAPACK orgqr)."""
    _, m, n = _matrices(op.args["input"])
    k = op.args["tau"].shape[-1]
    return _leading(op, 4 * m * n * k - 2 * (m + n) * k**2 + 4 * k**3 / 3)


@formula("aten.ormqr")
def apply_reflections(op: Op) -> Cost:
    """4 m n k - 2 n k^2 for k reflections of length m on n columns (LAPACK ormqr)."""
    left = op.args.get("left", True)
    _, rows, columns = _matrices(op.args["input3"])
    m, n = (rows, columns) if left else (columns, rows)
    k = op.args["input2"].shape[-1]
    return _leading(op, 4 * m * n * k - 2 * n * k**2)


@formula("aten._linalg_svd")
def svd(op: Op) -> Cost:
    """14 m n^2 + 8 n^3 with vectors, 4 m n^2 - 4 n^3 / 3 without, m >= n (4th edition, figure 8.6.1)."""
    _, m, n = _matrices(op.args["A"])
    long, short = max(m, n), min(m, n)
    if op.args.get("compute_uv", True):
        return _leading(op, 14 * long * short**2 + 8 * short**3)
    return _leading(op, 4 * long * short**2 - 4 * short**3 / 3)


@formula("aten._linalg_eigh")
def symmetric_eigen(op: Op) -> Cost:
    """9 n^3 with vectors, 4 n^3 / 3 without (section 8.3)."""
    return _leading(op, (9 if op.args.get("compute_v", True) else 4 / 3) * op.args["A"].shape[-1] ** 3)


@formula(*aten("linalg_eig linalg_eigvals _linalg_eigvals"))
def eigen(op: Op) -> Cost:
    """25 n^3 with vectors, 10 n^3 without (section 7.5)."""
    return _leading(op, (25 if op.target == "aten.linalg_eig" else 10) * _matrix(op).shape[-1] ** 3)


@formula(*aten("linalg_lstsq linalg_pinv"))
def least_squares(op: Op) -> Cost:
    """2 n^2 (m - n / 3) for the factorisation, and 4 m n for each right-hand side (the identity for an inverse)."""
    _, m, n = _matrices(_matrix(op))
    long, short = max(m, n), min(m, n)
    right = op.args["b"].shape[-1] if isinstance(op.args.get("b"), Value) else long
    return _leading(op, 2 * short**2 * (long - short / 3) + 4 * long * short * right)


@formula("aten.linalg_matrix_exp")
def matrix_exponential(op: Op) -> Cost:
    """The five matrix products of a Taylor polynomial of degree 18 (Bader, Blanes and Casas 2019): 10 n^3.

    How often the result is squared depends on the norm and is not counted.
    """
    return _leading(op, 10 * _matrix(op).shape[-1] ** 3)


@formula("aten._compute_linear_combination")
def linear_combination(op: Op) -> Cost:
    """2 FLOPs an element of each term."""
    return traffic(op, flops=floating_flops(op, 2 * op.outputs[0].elements * op.args["input"].shape[0]))


@formula("aten.lu_unpack")
def unpack(op: Op) -> Cost:
    """Triangles and a permutation laid out: a copy."""
    return traffic(op)
