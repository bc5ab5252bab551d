"""The 39 phones that ernn recognises, and how other phone sets map onto them.

Source of the folding: Lee and Hon, Speaker-independent phone recognition using hidden Markov
models, 1989.
"""

from collections.abc import Mapping

import numpy as np

from ernn.errors import CorpusError

PHONES = tuple(
    "iy ih eh ae ah uw uh aa ey ay oy aw ow er l r w y m n ng v f dh th z s sh jh ch "
    "b p d dx t g k hh sil".split()
)
PHONE_INDEX = {phone: index for index, phone in enumerate(PHONES)}
SILENCE = PHONE_INDEX["sil"]

# A pair is spoken one after the other; an empty tuple joins the phone before it.
Spoken = tuple[str, ...]


def _table(text: str) -> dict[str, Spoken]:
    """Parse ``"label=phone+phone ..."``; nothing after ``=`` means an empty tuple."""
    entries = (entry.rpartition("=") for entry in text.split())
    return {label: tuple(filter(None, phones.split("+"))) for label, _, phones in entries}


_SAME = {phone: (phone,) for phone in PHONES}

_TIMIT = _SAME | _table(
    "ao=aa ax=ah ax-h=ah axr=er hv=hh ix=ih el=l em=m en=n nx=n eng=ng zh=sh ux=uw "
    "pcl=sil tcl=sil kcl=sil bcl=sil dcl=sil gcl=sil h#=sil pau=sil epi=sil q="
)
del _TIMIT["sil"]  # a folded label, never one of TIMIT's 61

# What files of Kaldi may hold: TIMIT's 61, the 48 that its recipe trains, or the 39.
KALDI_TIMIT = {label: "".join(phones) for label, phones in _TIMIT.items()}
KALDI_TIMIT |= {"sil": "sil", "cl": "sil", "vcl": "sil"}

_FLITE = _SAME | _table("ax=ah ao=aa zh=sh pau=sil")

_ESPEAK = _table(
    "@=ah @-=ah @2=ah @5=ah a#=ah V=ah a=ae aa=ae 0=aa 0#=aa A:=aa O:=aa O=aa O2=aa E=eh E#=eh "
    "e=eh I=ih I#=ih I2=ih i=iy i:=iy u:=uw u=uw U=uh 3=er 3:=er eI=ey aI=ay OI=oy aU=aw oU=ow "
    "@L=ah+l A@=aa+r O@=aa+r o@=aa+r e@=eh+r U@=uh+r i@3=ih+r i@=iy+ah aI@=ay+ah aI3=ay+er "
    "aU@=aw+er l=l l#=l r=r r-=r w=w j=y m=m n=n n-=ah+n N=ng v=v f=f D=dh T=th z=z s=s S=sh "
    "Z=sh dZ=jh tS=ch b=b p=p d=d t=t t2=t d#=dx t#=dx g=g k=k x=k h=hh ?= ;= _=sil _:=sil _!=sil "
    "_^_=sil _|=sil"
)
_ESPEAK_STRESS = "',%="


def fold_timit(label: str) -> Spoken:
    """Fold one of TIMIT's 61 labels; ``q`` gives an empty tuple.

    Raises:
        CorpusError: the label is none of the 61.
    """
    return _look_up(_TIMIT, label, "TIMIT phone label")


def fold_espeak(mnemonic: str) -> Spoken:
    """Fold an espeak-ng mnemonic of American English, with or without its stress mark.

    Raises:
        CorpusError: ernn does not know the mnemonic.
    """
    return _look_up(_ESPEAK, mnemonic.lstrip(_ESPEAK_STRESS), "espeak-ng phoneme")


def fold_flite(label: str) -> Spoken:
    """Fold a phone of flite's American English voices.

    Raises:
        CorpusError: ernn does not know the label.
    """
    return _look_up(_FLITE, label, "flite phone")


def merge_silences(phones: np.ndarray, silence: int = SILENCE) -> np.ndarray:
    """Let silences side by side count as one: (S,) indices -> (P,)."""
    silent = phones == silence
    return phones[np.concatenate([[True], ~(silent[1:] & silent[:-1])])[: len(phones)]]


def _look_up(table: Mapping[str, Spoken], label: str, kind: str) -> Spoken:
    try:
        return table[label]
    except KeyError:
        known = " ".join(sorted(table))
        raise CorpusError(f"{label!r} is not a known {kind}", allowed=known) from None
