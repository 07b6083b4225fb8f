"""What was done to the sandbox's cells: gene edits and compounds, and which of them look alike.

Genes of one pathway share a direction, those that hold it back point the other way; a compound moves from the control
toward its target as its concentration rises, or does nothing at all. The same for every group of one environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 128
CONCENTRATIONS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

# A leading "-" marks a gene whose loss looks opposite to the loss of the others.
_FAMILIES = {
    "RAS/MAPK": "KRAS NRAS HRAS BRAF RAF1 ARAF MAP2K1 MAP2K2 MAPK1 MAPK3 SOS1 SOS2 GRB2 SHOC2 PTPN11 KSR1 RPS6KA1 "
    "-NF1 -RASA1 -RASA2 -DUSP6 -SPRED1 -SPRY2",
    "PI3K/AKT/MTOR": "PIK3CA PIK3CB PIK3R1 AKT1 AKT2 AKT3 PDPK1 MTOR RPTOR RICTOR MLST8 RHEB RPS6KB1 EIF4E IRS1 "
    "-PTEN -TSC1 -TSC2 -DEPDC5 -NPRL2 -INPP5D",
    "p53": "TP53 CDKN1A BBC3 PMAIP1 BAX TP53BP1 USP28 ATM CHEK2 -MDM2 -MDM4 -PPM1D -USP7",
    "Homologous recombination": "BRCA1 BRCA2 PALB2 BARD1 RAD51 RAD51C RAD51D BRIP1 ATR CHEK1 RBBP8 MRE11 NBN RAD50 "
    "FANCA FANCD2 FANCI -PARP1 -TP53BP2",
    "Mismatch repair": "MLH1 MSH2 MSH6 PMS2 MSH3 EXO1 PCNA POLE POLD1",
    "Cell cycle": "CDK1 CDK2 CDK4 CDK6 CCND1 CCND3 CCNE1 CCNA2 CCNB1 E2F1 E2F3 AURKA AURKB PLK1 BUB1 MAD2L1 "
    "-RB1 -CDKN2A -CDKN1B -FBXW7",
    "WNT": "CTNNB1 TCF7L2 LRP5 LRP6 WNT3A FZD7 DVL1 DVL2 BCL9 PYGO2 PORCN -APC -AXIN1 -AXIN2 -GSK3B -RNF43 -ZNRF3",
    "NOTCH": "NOTCH1 NOTCH2 NOTCH3 JAG1 JAG2 DLL1 DLL4 RBPJ MAML1 ADAM10 PSEN1 NCSTN -NUMB -SPEN",
    "Hedgehog": "SMO GLI1 GLI2 SHH KIF7 GPR161 -PTCH1 -SUFU",
    "TGF-beta": "TGFB1 TGFBR1 TGFBR2 SMAD2 SMAD3 SMAD4 BMPR1A ACVR1B -SMAD7 -SKI",
    "JAK/STAT": "JAK1 JAK2 JAK3 TYK2 STAT1 STAT3 STAT5A STAT5B IL6ST IFNGR1 IFNAR1 IRF9 -SOCS1 -SOCS3 -PTPN2",
    "NF-kB": "RELA RELB NFKB1 NFKB2 IKBKB IKBKG CHUK TRAF2 TRAF6 MYD88 TNFRSF1A MAP3K7 -NFKBIA -TNFAIP3 -CYLD",
    "Hippo": "YAP1 WWTR1 TEAD1 TEAD4 -LATS1 -LATS2 -STK3 -STK4 -SAV1 -NF2 -MOB1A",
    "Receptor tyrosine kinases": "EGFR ERBB2 ERBB3 MET ALK ROS1 RET KIT PDGFRA PDGFRB FGFR1 FGFR2 FGFR3 IGF1R KDR "
    "NTRK1 -CBL -LRIG1",
    "Chromatin": "EZH2 EED SUZ12 DOT1L KMT2A MEN1 HDAC1 HDAC2 HDAC3 BRD4 BRD2 EP300 CREBBP SETD2 "
    "-ARID1A -SMARCA4 -SMARCB1 -KDM6A -BAP1",
    "Apoptosis": "BCL2 BCL2L1 MCL1 XIAP BIRC5 CFLAR -CASP8 -CASP9 -CASP3 -APAF1 -BAK1 -BID -FADD",
    "Proteostasis": "PSMB5 PSMA1 PSMD1 HSP90AA1 HSPA5 HSF1 VCP UBA1 -KEAP1 -STUB1",
    "Hypoxia": "HIF1A EPAS1 ARNT VEGFA -VHL -EGLN1",
    "MYC": "MYC MYCN MAX WDR5 NCL -MXD1 -MNT",
    "Neuro": "APP MAPT SNCA LRRK2 GRN C9orf72 TARDBP FUS SOD1 HTT",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: genes, compounds, and in how many experiments each of them was seen."""

    genes: int
    compounds: int
    gene_experiments: int
    compound_experiments: int
    rows_per_row_group: int


# FULL gives groups of about 2 GB, each frame below the 512 MB that one Redis value may have.
SMALL = Size(genes=0, compounds=60, gene_experiments=4, compound_experiments=3, rows_per_row_group=200)
FULL = Size(
    genes=20_000, compounds=30_000, gene_experiments=48, compound_experiments=6, rows_per_row_group=50_000
)  # fmt: skip
SIZES = {"small": SMALL, "full": FULL}


def known_genes() -> dict[str, tuple[str, int]]:
    """Each gene's symbol with its pathway and +1, or -1 where it holds that pathway back."""
    genes: dict[str, tuple[str, int]] = {}
    for family, symbols in _FAMILIES.items():
        for symbol in symbols.split():
            genes.setdefault(symbol.removeprefix("-"), (family, -1 if symbol.startswith("-") else 1))
    return genes


def is_compound(pert: str) -> bool:
    return pert.startswith("REC-")


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """`vectors` (…, 128) with magnitude 1 each."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: NDArray[np.float32] = (vectors / np.maximum(norms, 1e-12)).astype(np.float32, copy=False)
    return result


@dataclass(frozen=True)
class Screen:
    """The perturbations of one environment with their true directions, before any experiment's noise.

    `genes` has G symbols and `gene_directions` (G, 128); a compound's row r is one of its concentrations:
    `compounds[r]`, `concentrations[r]` in µM, `targets[r]` an index into `genes` (-1: inactive), `effect[r]` 0 to 1.
    `weakness` (G,) says how much noisier than usual a gene's phenoprint is.
    """

    genes: tuple[str, ...]
    gene_directions: NDArray[np.float32]
    weakness: NDArray[np.float32]
    compounds: tuple[str, ...]
    concentrations: NDArray[np.float64]
    targets: NDArray[np.int32]
    effect: NDArray[np.float32]
    compound_directions: NDArray[np.float32]


@lru_cache(maxsize=4)
def screen(seed: int, size: Size) -> Screen:
    """The screen that `seed` stands for: always the same one."""
    rng = np.random.default_rng([seed, 1])
    known = known_genes()
    families = {family: unit(rng.standard_normal(DIMENSIONS, dtype=np.float32)) for family in _FAMILIES}
    extra = [f"LOC{100_100_000 + number}" for number in range(max(0, size.genes - len(known)))]
    genes = (*known, *extra)
    shared = np.zeros((len(genes), DIMENSIONS), dtype=np.float32)
    for row, (family, sign) in enumerate(known.values()):
        shared[row] = families[family] * sign
    own = unit(rng.standard_normal((len(genes), DIMENSIONS), dtype=np.float32))
    directions = unit(shared * rng.uniform(1.0, 1.8, (len(genes), 1)).astype(np.float32) + own)
    weakness = np.where(rng.random(len(genes)) < 0.1, 2.5, 1.0).astype(np.float32)
    return Screen(genes, directions, weakness, *_compounds(rng, size.compounds, list(known)))


def _compounds(
    rng: np.random.Generator, count: int, targets: list[str]
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Names, concentrations, targets, effects and own directions, one row per concentration of a compound."""
    numbers = np.sort(rng.choice(np.arange(124, max(9_000, count * 3)), size=count, replace=False))
    numbers[0] = 123  # the compound that examples speak of: it acts on MTOR
    names: list[str] = []
    rows: list[tuple[float, int, float]] = []
    own = unit(rng.standard_normal((count, DIMENSIONS), dtype=np.float32))
    which: list[int] = []
    for compound, number in enumerate(numbers.tolist()):
        target = int(rng.integers(len(targets))) if rng.random() < 0.75 else -1
        potency = 10 ** float(rng.uniform(-1.5, 0.5))  # µM at half effect
        first = int(rng.integers(0, 3))
        if compound == 0:
            target, potency, first = targets.index("MTOR"), 0.3, 1
        for concentration in CONCENTRATIONS[first : first + int(rng.integers(4, 7))]:
            names.append(f"REC-{number:07d}")
            effect = 0.0 if target < 0 else 0.95 / (1 + (potency / concentration) ** 1.4)
            rows.append((concentration, target, effect))
            which.append(compound)
    table = np.array(rows)
    return (
        tuple(names),
        table[:, 0].astype(np.float64),
        table[:, 1].astype(np.int32),
        table[:, 2].astype(np.float32),
        own[np.array(which)],
    )
