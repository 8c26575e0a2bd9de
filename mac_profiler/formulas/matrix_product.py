"""Products of matrices and vectors.

`matmul`, `einsum`, `tensordot`, `chain_matmul`, `multi_dot`, `inner`, `kron`, `matrix_power` and the like have no
formula on purpose: they are composite, and the products that torch runs them by (`mm`, `bmm`, `mul`, in the order that
it contracts them) tell the truth, which their own arguments do not. `linear` and `vecdot` are kept whole: a `linear` is
one kernel whatever its input's dimensions, and torch's product and sum for `vecdot` would hide a vector product.
"""

from __future__ import annotations

from math import prod

from mac_profiler.cost import Cost, aten, floating_flops, formula, product_flops, traffic
from mac_profiler.graph import Op, Value


def _product(op: Op, mult_adds: int, extra: int = 0) -> Cost:
    """Cost of a product with `extra` single operations after it."""
    return traffic(op, mult_adds=mult_adds, flops=product_flops(op, mult_adds) + floating_flops(op, extra))


@formula(*aten("linear mkldnn_linear _mixed_dtypes_linear"))
def linear(op: Op) -> Cost:
    """Every output element sums over the input features; a bias is added."""
    # [*, out] = linear([*, in], [out, in], [out])
    out = op.outputs[0]
    features = (op.args["input"] if "input" in op.args else op.args["self"]).shape[-1]
    return _product(op, out.elements * features, out.elements if op.args.get("bias") is not None else 0)


@formula(*aten("mm bmm _int_mm"))
def matrix_product(op: Op) -> Cost:
    """Every output element sums over the shared dimension."""
    # [b, n, p] = bmm([b, n, m], [b, m, p])
    return _product(op, op.outputs[0].elements * op.args["self"].shape[-1])


@formula(*aten("addmm baddbmm", in_place=True), "aten._addmm_activation")
def matrix_product_with_sum(op: Op) -> Cost:
    """A product added to a tensor; with beta = 0 that tensor is not read."""
    # [b, n, p] = baddbmm([b, n, p], [b, n, m], [b, m, p])
    left = op.args["batch1"] if "batch1" in op.args else op.args["mat1"]
    out = op.outputs[0]
    return _added(op, out.elements * left.shape[-1], out.elements * (2 if "activation" in op.target else 1))


@formula(*aten("addbmm", in_place=True))
def summed_batches(op: Op) -> Cost:
    """The products of a batch, summed and added to a tensor."""
    # [n, p] = addbmm([n, p], [b, n, m], [b, m, p])
    batch, _, shared = op.args["batch1"].shape
    return _added(op, op.outputs[0].elements * batch * shared, op.outputs[0].elements)


@formula("aten.mv")
def matrix_vector(op: Op) -> Cost:
    """Every row of a matrix with a vector."""
    # [n] = mv([n, m], [m])
    return _product(op, op.args["self"].elements)


@formula(*aten("addmv", in_place=True))
def matrix_vector_with_sum(op: Op) -> Cost:
    """Every row of a matrix with a vector, added to a vector."""
    # [n] = addmv([n], [n, m], [m])
    return _added(op, op.args["mat"].elements, op.outputs[0].elements)


@formula(*aten("dot vdot"))
def dot(op: Op) -> Cost:
    """Two vectors."""
    # [] = dot([n], [n])
    return _product(op, op.args["self"].elements)


@formula("aten.linalg_vecdot")
def vecdot(op: Op) -> Cost:
    """Vectors along one dimension, the others broadcast."""
    # [*] = vecdot([*, n], [*, n])
    out, dim = op.outputs[0], op.args.get("dim", -1)
    from_the_end = dim - len(out.shape) - 1 if dim >= 0 else dim
    return _product(op, out.elements * max(op.args[name].shape[from_the_end] for name in ("x", "y")))


@formula(*aten("addr", in_place=True))
def rank_one_update(op: Op) -> Cost:
    """The outer product of two vectors added to a matrix: a multiply-add an element (BLAS ger)."""
    # [n, m] = addr([n, m], [n], [m])
    return _added(op, op.outputs[0].elements, 0)


def _added(op: Op, mult_adds: int, extra: int) -> Cost:
    cost_reads = {op.args["self"]: 0} if op.args.get("beta", 1) == 0 else None
    flops = product_flops(op, mult_adds) + floating_flops(op, extra)
    return traffic(op, mult_adds=mult_adds, flops=flops, reads=cost_reads)


@formula(*aten("_scaled_mm _scaled_mm_v2"))
def scaled_product(op: Op) -> Cost:
    """A product of 8-bit or narrower floats whose output is scaled (1 FLOP an element) and given a bias.

    Elements that are packed two to a byte (float4) share the byte's element.
    """
    # [n, p] = _scaled_mm([n, m], [m, p], scale_a, scale_b)
    out = op.outputs[0]
    shared = op.args["self"].shape[-1] * (2 if op.args["self"].dtype == "float4_e2m1fn_x2" else 1)
    return _product(op, out.elements * shared, out.elements * (1 + (op.args.get("bias") is not None)))


@formula(*aten("_grouped_mm _scaled_grouped_mm _scaled_grouped_mm_v2"))
def grouped_product(op: Op) -> Cost:
    """One product a group; `offs` says where in the ragged dimension a group ends, which no cost depends on.

    A ragged row meets the matrix of its own group alone. With both operands 2-d the shared dimension is ragged and
    every group makes a matrix of its own: its products are those of one matrix.
    """
    # [s, p] = _grouped_mm([s, m], [g, m, p]); [g, n, p] = _grouped_mm([g, n, m], [m, s]) or ([n, s], [s, p])
    left, right, out = op.args["self"], op.args["mat2"], op.outputs[0]
    if len(left.shape) == 2 and len(right.shape) == 2:
        mult_adds = left.elements * right.shape[-1]
    else:
        mult_adds = out.elements * left.shape[-1]
    return _product(op, mult_adds, out.elements if op.args.get("bias") is not None else 0)


@formula("transformers.grouped_mm_fallback")
def grouped_product_fallback(op: Op) -> Cost:
    """What transformers runs in place of `_grouped_mm`: every row meets the matrix of its own expert."""
    # [s, p] = grouped_mm_fallback([s, m], [g, m, p], offs)
    return _product(op, op.outputs[0].elements * op.args["input"].shape[-1])


@formula("transformers.grouped_mm_fallback_backward")
def grouped_product_fallback_backward(op: Op) -> Cost:
    """The gradients of rows and matrices: the products of the forward each."""
    return _product(op, 2 * op.args["input"].elements * op.args["weight"].shape[-1])


@formula(*aten("_weight_int8pack_mm _weight_int4pack_mm _weight_int4pack_mm_for_cpu"))
@formula(*aten("_weight_int4pack_mm_with_scales_and_zeros _dyn_quant_matmul_4bit"))
def packed_weight_product(op: Op) -> Cost:
    """A product with a weight of packed small integers, brought to scale in the kernel: 1 FLOP an output element."""
    # [n, p] = _weight_int8pack_mm([n, m], [p, m], [p])
    source = op.args["self"] if "self" in op.args else op.args["inp"]
    out = op.outputs[0]
    return _product(op, out.elements * source.shape[-1], out.elements)


@formula("aten._trilinear")
def trilinear(op: Op) -> Cost:
    """The kernel of `bilinear`: i1 and i2 are contracted first, then the result with i3 (ATen, Linear.cpp).

    For nn.Bilinear that is n * out * in1 * in2 products with the weight and n * out * in2 with the second input. A
    step that sums over nothing is an element-wise product, no multiply-add.
    """
    names = (("i1", "expand1"), ("i2", "expand2"), ("i3", "expand3"))
    shapes = [_expanded(op.args[tensor].shape, op.args[dims]) for tensor, dims in names]
    third, summed = set(op.args["expand3"]), set(op.args["sumdim"])
    first_sum = summed & third
    pair = [max(sizes) if 0 not in sizes else 0 for sizes in zip(shapes[0], shapes[1], strict=True)]
    left = [1 if d in first_sum else size for d, size in enumerate(pair)]
    both = prod(max(a, b) if a and b else 0 for a, b in zip(left, shapes[2], strict=True))
    steps = ((prod(pair), first_sum), (both, summed - third))
    mult_adds = sum(count for count, sums in steps if sums)
    return _product(op, mult_adds, sum(count for count, sums in steps if not sums))


def _expanded(shape: tuple[int, ...], dims: list[int]) -> list[int]:
    sizes = list(shape)
    for dim in sorted(dims):
        sizes.insert(dim, 1)
    return sizes


@formula(*aten("linear_backward mkldnn_linear_backward"))
def linear_backward(op: Op) -> Cost:
    """The gradients of input and of weight take the products of the forward each; that of the bias is a sum."""
    of_input, of_weight, of_bias = op.args["output_mask"]
    grad, weight = op.args["grad_output"], op.args["weight"]
    mult_adds = (of_input + of_weight) * grad.elements * weight.shape[-1]
    flops = product_flops(op, mult_adds) + floating_flops(op, grad.elements if of_bias else 0)
    unread: dict[Value, int] = {}
    if not of_input:
        unread[weight] = 0
    if not of_weight:
        unread[op.args["self"]] = 0
    return traffic(op, mult_adds=mult_adds, flops=flops, reads=unread)


@formula(*aten("mkldnn_linear_backward_input mkldnn_linear_backward_weights"))
def linear_backward_of_one(op: Op) -> Cost:
    """One gradient of a linear: the products of the forward; with the weight's that of the bias, a sum."""
    grad = op.args["grad_output"]
    bias = grad.elements if op.args.get("bias_defined") else 0
    return _product(op, grad.elements * op.args["weight"].shape[-1], bias)


@formula("aten.matmul_backward")
def matmul_backward(op: Op) -> Cost:
    """The gradients of the two factors: the products of the forward each."""
    grad, mask = op.args["grad"], op.args["mask"]
    return _product(op, sum(mask) * grad.elements * op.args["self"].shape[-1])


@formula("aten._foreach_mm")
def listed_products(op: Op) -> Cost:
    """The products of two lists of matrices."""
    lefts = op.args["self"]
    return _product(op, sum(out.elements * left.shape[-1] for out, left in zip(op.outputs, lefts, strict=True)))
