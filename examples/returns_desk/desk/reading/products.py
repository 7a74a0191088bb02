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
    "sweater": "pullover pulli strickpullover pull jersey sueter maglione trui camisola jumper knit",
    "jacket": "jacke regenjacke veste impermeable chaqueta chubasquero giacca jas regenjas casaco impermeavel coat raincoat",
    "dress": "kleid leinenkleid robe vestido vestito jurk",
    "sock": "socke wandersocken chaussette calcetin calcetines calze calzini sok sokken meia",
    "sneaker": "schuh schuhe turnschuhe chaussure basket zapatilla zapato scarpa scarpe gympen schoen schoenen sapato tenis sapatilha shoe trainer",
    "boot": "stiefel schuh schuhe bottine botte bota botin stivale stivali laarzen laars schoen schoenen shoe",
    "sandal": "sandale sandalia sandalo sandali sandalen",
    "slipper": "hausschuhe pantoffel chausson pantoufle zapatillas pantofola pantofole slof sloffen pantoffels chinelo pantufa",
    "scarf": "schal echarpe foulard bufanda panuelo sciarpa sjaal cachecol",
    "glove": "handschuh gant guante guanto guanti handschoen luva",
    "hat": "mutze hut strickmutze bonnet chapeau gorro sombrero cappello berretto muts hoed gorro chapeu beanie",
    "wallet": "geldborse portemonnaie brieftasche portefeuille cartera billetera portafoglio portemonnee carteira purse",
    "belt": "gurtel ceinture cinturon cintura riem cinto",
    "coat": "mantel wollmantel manteau abrigo cappotto winterjas casacao sobretudo",
    "trouser": "hose cordhose pantalon pantalones pantaloni broek calcas pants",
    "shirt": "hemd chemise camisa camicia overhemd camiseta maglietta shirt tee t-shirt",
    "board": "schneidebrett brett planche tabla tagliere snijplank tabua",
    "plate": "teller assiette plato piatto bord prato",
    "glass": "glas glaser weinglaser verre verres copa copas vaso bicchiere bicchieri glazen wijnglazen copo copos",
    "mirror": "spiegel miroir espejo specchio espelho",
    "bag": "tasche stofftasche tote sac bolsa bolso borsa tas saco",
    "keyboard": "tastatur clavier teclado tastiera toetsenbord",
    "pen": "fuller stift stylo pluma boligrafo penna caneta vulpen",
    "tent": "zelt tente tienda tenda",
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
    "new old day days week weeks email mail address number account three pair hand set four six person delivered arrived received parcel package box shop".split()
)


_OF_GOODS = frozenset(_GLOSSARY) | frozenset(
    "bath bluetooth brass canva carbon cast checked chef corduroy cork cutting desk dinner dotted felt fig floor folding fountain "
    "gooseneck insulated iron knitted lambswool mechanical merino oak organic oxford pair paper rain roll round steel storm tall "
    "top tote wall wine wireless".split()
)
"""Words that goods are called by, as `_stem` leaves them: what the glossary has, and what they are made of or for."""


def product_words(folded: str) -> list[str]:
    """Return the words of a folded text that goods are called by, in English, sorted; of a letter no other word is kept."""
    found: set[str] = set()
    for word in re.findall(r"[a-z][a-z'-]+[a-z]", folded):
        if word not in _SMALL:
            found |= _english(word) | ({_stem(word)} & _OF_GOODS)
    return sorted(found)


def product_words_known(folded: str) -> bool:
    """Tell whether a folded text names a kind of product that the glossary knows, in any language."""
    words = re.findall(r"[a-z][a-z'-]+[a-z]", folded)
    return any(_stem(word) in _GLOSSARY or _english(word) for word in words)


@cache
def name_words(name: str) -> frozenset[str]:
    """Return the words of a product's name as `product_words` gives them."""
    return frozenset(_stem(word) for word in re.findall(r"[a-z]{3,}", fold(name)) if word not in _SMALL)


def _stem(word: str) -> str:
    """Drop a plural's ending."""
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


@cache
def _by_foreign() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for english, words in _GLOSSARY.items():
        for foreign in words.split():
            found.setdefault(foreign, set()).add(english)
    return found


_COMPOUND_PART_MIN = 4  # Shorter words stand inside too many others.


@cache
def _english(word: str) -> frozenset[str]:
    known = _by_foreign()
    found: set[str] = set()
    for form in (word, word[:-1], word[:-2]):
        found |= known.get(form, set())
    for foreign, english in known.items():
        if len(foreign) >= _COMPOUND_PART_MIN and (word.startswith(foreign) or word.endswith(foreign)):
            found |= english
    return frozenset(found)
