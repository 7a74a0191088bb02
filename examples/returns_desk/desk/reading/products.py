"""Products: the words of a text that may name one, in English whatever the language of the text."""

import re
from functools import cache

from examples.returns_desk.desk.reading.text import fold

_GLOSSARY = {
    "mug": "tasse becher taza tazza mok beker caneca chavena cup",
    "teapot": "teekanne theiere tetera teiera theepot bule",
    "kettle": "wasserkocher kessel bouilloire hervidor bollitore waterkoker ketel chaleira",
    "pan": "pfanne poele sarten padella koekenpan frigideira skillet",
    "knife": "messer couteau cuchillo coltello mes mesje faca",
    "blanket": "decke wolldecke couverture manta coperta deken plaid cobertor throw",
    "cushion": "kissen coussin cojin cuscino kussen almofada pillow",
    "towel": "handtuch serviette toalla asciugamano handdoek toalha",
    "chair": "stuhl klappstuhl chaise silla sedia stoel klapstoel cadeira",
    "lamp": "lampe leuchte schreibtischlampe lampara flexo lampada candeeiro light",
    "clock": "uhr wanduhr horloge pendule reloj orologio klok relogio",
    "vase": "jarron florero vaso vaas jarra glasvase",
    "bowl": "schussel schale bol cuenco tazon ciotola scodella kom schaal tigela",
    "candle": "kerze bougie vela candela kaars",
    "notebook": "notizbuch notizheft carnet cahier cuaderno libreta quaderno taccuino notitieboek schrift caderno journal",
    "rug": "teppich tapis alfombra tappeto tapijt vloerkleed tapete carpet",
    "umbrella": "regenschirm schirm parapluie paraguas ombrello paraplu guarda-chuva chapeu-de-chuva brolly",
    "bottle": "flasche trinkflasche bouteille gourde botella borraccia bottiglia fles drinkfles garrafa",
    "backpack": "rucksack sac mochila zaino rugzak rugtas tasche bag",
    "headphone": "kopfhorer casque ecouteur auricular cuffie koptelefoon fone auscultadores headset earphone",
    "speaker": "lautsprecher box enceinte altavoz altoparlante cassa luidspreker coluna altifalante",
    "apron": "schurze tablier delantal grembiule schort avental",
    "grinder": "muhle kaffeemuhle moulin molinillo macinacaffe macinino molen koffiemolen moinho moedor",
    "shirt": "hemd chemise camisa camicia overhemd blouse",
    "sweater": "pullover pulli strickpullover pull jersey sueter maglione trui camisola jumper knit",
    "jacket": "jacke regenjacke veste impermeable chaqueta chubasquero giacca jas regenjas casaco impermeavel coat raincoat",
    "dress": "kleid leinenkleid robe vestido vestito jurk",
    "sock": "socke wandersocken chaussette calcetin calcetines calze calzini sok sokken meia",
    "trainer": "schuh schuhe turnschuhe sneaker chaussure basket zapatilla zapato scarpa scarpe gympen schoen schoenen sapato tenis sapatilha shoe",
    "boot": "stiefel bottine botte bota botin stivale stivali laarzen laars",
    "sandal": "sandale sandalia sandalo sandali sandalen",
    "scarf": "schal echarpe foulard bufanda panuelo sciarpa sjaal cachecol",
    "wallet": "geldborse portemonnaie brieftasche portefeuille cartera billetera portafoglio portemonnee carteira purse",
    "wool": "wolle woll laine lana wol",
    "leather": "leder cuir cuero pelle leer couro",
    "linen": "leinen lin lino linho",
    "enamel": "emaille email emaillee esmalte esmaltada smaltata smalto",
    "stoneware": "steinzeug steingut gres ceramica keramik ceramique aardewerk",
    "coffee": "kaffee cafe caffe koffie",
    "blue": "blau bleu azul blu blauw",
    "white": "weiss blanc blanche blanco blanca bianco bianca wit branco branca",
    "grey": "grau gris grigio grigia grijs cinzento gray",
    "brown": "braun marron brun marrone bruin castanho",
}

_SMALL = frozenset(
    "the and for you your with this that have has was were are not but can from they them then than will would please "
    "order ordered refund return returned money back item items size hello hi dear thanks thank one two still just got "
    "get its it's did does don't never also very really about what when where which who how there here been out off over "
    "new old day days week weeks email mail address number account three pair hand delivered arrived received parcel package box shop".split()
)


def product_words(folded: str) -> list[str]:
    """Return the words of a folded text that may name products, with their English forms, sorted."""
    found: set[str] = set()
    for word in re.findall(r"[a-z][a-z'-]+[a-z]", folded):
        if word not in _SMALL:
            found.add(_stem(word))
            found |= _english(word)
    return sorted(found)


@cache
def name_words(name: str) -> frozenset[str]:
    """Return the words of a product's name as `product_words` gives them."""
    return frozenset(_stem(word) for word in re.findall(r"[a-z]{3,}", fold(name)) if word not in _SMALL)


def _stem(word: str) -> str:
    """Drop a plural's ending."""
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


@cache
def _by_foreign() -> dict[str, str]:
    return {foreign: english for english, words in _GLOSSARY.items() for foreign in words.split()}


_COMPOUND_PART_MIN = 4  # Shorter words stand inside too many others.


@cache
def _english(word: str) -> frozenset[str]:
    known = _by_foreign()
    whole = {known[form] for form in (word, word[:-1], word[:-2]) if form in known}
    parts = {
        english
        for foreign, english in known.items()
        if len(foreign) >= _COMPOUND_PART_MIN and (word.startswith(foreign) or word.endswith(foreign))
    }
    return frozenset(whole | parts)
