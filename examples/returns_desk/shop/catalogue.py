"""Catalogue: what the shop sells. Prices are in cents; `sizes` is empty for what has none."""

from dataclasses import dataclass

CLOTHES = ("XS", "S", "M", "L", "XL")
SHOES = ("36", "37", "38", "39", "40", "41", "42", "43", "44", "45")


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy."""

    sku: str
    name: str
    unit_cents: int
    sizes: tuple[str, ...] = ()


PRODUCTS = (
    Product("MUG-STONE", "Stoneware mug", 1490),
    Product("MUG-ENAMEL", "Enamel mug", 1290),
    Product("TEAPOT", "Cast iron teapot", 5900),
    Product("KETTLE", "Gooseneck kettle", 7990),
    Product("GRINDER", "Hand coffee grinder", 6490),
    Product("PAN-28", "Carbon steel pan 28 cm", 4950),
    Product("KNIFE-CHEF", "Chef's knife", 8900),
    Product("BOARD-OAK", "Oak cutting board", 3490),
    Product("BOWL-SET", "Set of four bowls", 3890),
    Product("PLATE-BLUE", "Blue dinner plate", 1190),
    Product("GLASS-WINE", "Wine glasses, set of six", 4400),
    Product("VASE-TALL", "Tall glass vase", 2990),
    Product("CANDLE-FIG", "Fig candle", 1950),
    Product("LAMP-DESK", "Brass desk lamp", 8450),
    Product("LAMP-FLOOR", "Paper floor lamp", 12900),
    Product("CLOCK-WALL", "Wall clock", 3990),
    Product("MIRROR-ROUND", "Round mirror", 9900),
    Product("RUG-WOOL", "Wool rug", 18900),
    Product("BLANKET", "Merino blanket", 9450),
    Product("PILLOW", "Linen cushion", 2790),
    Product("TOWEL-SET", "Bath towel set", 3590),
    Product("CHAIR-FOLD", "Folding chair", 6990),
    Product("TEE-BASIC", "Organic T-shirt", 2490, CLOTHES),
    Product("SHIRT-OX", "Oxford shirt", 5490, CLOTHES),
    Product("SWEATER", "Lambswool sweater", 8990, CLOTHES),
    Product("JACKET-RAIN", "Rain jacket", 11900, CLOTHES),
    Product("COAT-WOOL", "Wool coat", 21900, CLOTHES),
    Product("DRESS-LIN", "Linen dress", 7490, CLOTHES),
    Product("TROUSERS", "Corduroy trousers", 6890, CLOTHES),
    Product("SOCKS", "Wool socks, three pairs", 2190, ("36-38", "39-41", "42-44")),
    Product("SCARF", "Checked scarf", 3950),
    Product("GLOVES", "Leather gloves", 4790, ("S", "M", "L")),
    Product("BEANIE", "Knitted hat", 2290),
    Product("BOOTS", "Leather boots", 15900, SHOES),
    Product("SNEAKERS", "Canvas sneakers", 5990, SHOES),
    Product("SANDALS", "Cork sandals", 4890, SHOES),
    Product("SLIPPERS", "Felt slippers", 3290, SHOES),
    Product("BACKPACK", "Roll-top backpack", 8790),
    Product("BAG-TOTE", "Canvas tote bag", 1990),
    Product("WALLET", "Leather wallet", 4590),
    Product("BELT", "Leather belt", 3790, ("85", "95", "105")),
    Product("UMBRELLA", "Storm umbrella", 3290),
    Product("BOTTLE", "Insulated bottle", 2890),
    Product("HEADPHONES", "Wireless headphones", 13900),
    Product("SPEAKER", "Bluetooth speaker", 5900),
    Product("KEYBOARD", "Mechanical keyboard", 9900),
    Product("NOTEBOOK", "Dotted notebook", 1450),
    Product("PEN", "Fountain pen", 3400),
    Product("TENT", "Two-person tent", 19900),
    Product("APRON", "Linen apron", 3150),
)

BY_SKU = {product.sku: product for product in PRODUCTS}
