"""People: made-up names and addresses by language, from which the seeded customers are put together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Where a language's customers come from. `street` is filled with a number."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[str, ...]


COUNTRIES = {
    "en": Country(
        tuple("Alice Ben Chloe Daniel Emma Finn Grace Harvey Isla Jack Keira Liam Megan Noah Olivia Priya Ruth".split()),
        tuple("Ashdown Birchall Cartwell Dunmore Ellery Fairlie Greaves Holt Ibbotson Kerrigan Loxley Marsh Nettle".split()),
        ("{} Harbour Lane", "{} Mill Road", "{} Station Street", "{} Kestrel Close", "{} Orchard View"),
        ("4021 Brackenford", "5130 Wexmouth", "6204 Carrick Hill", "7011 Stowbridge"),
    ),
    "de": Country(
        tuple("Anke Bernd Clara Dieter Elif Florian Greta Heiko Ines Jonas Katrin Lukas Mareike Nils Petra Svenja".split()),
        tuple("Albers Brandl Cordes Dehling Eickhoff Fassbender Gerlach Hartung Immel Jessen Kranz Lohmann Möllers".split()),
        ("Lindenweg {}", "Bahnhofstr. {}", "Am Anger {}", "Mühlgasse {}", "Sonnenallee {}"),
        ("21337 Lüneburg", "48143 Münster", "79098 Freiburg", "04103 Leipzig"),
    ),
    "fr": Country(
        tuple("Amélie Bastien Camille Damien Élodie Fabrice Gaëlle Hugo Inès Julien Louise Mathis Noémie Quentin".split()),
        tuple("Aubrac Bertin Carpentier Delmas Estève Fournel Garnier Huchet Jacquin Lemoine Marchand Noiret".split()),
        ("{} rue des Tilleuls", "{} avenue Victor Hugo", "{} impasse du Moulin", "{} quai des Brumes"),
        ("35000 Rennes", "69003 Lyon", "44000 Nantes", "21000 Dijon"),
    ),
    "es": Country(
        tuple("Alba Bruno Carmen Diego Elena Fermín Gloria Héctor Irene Javier Lucía Marcos Nuria Óscar Pilar".split()),
        tuple("Arana Bellido Cuesta Domingo Esteban Farias Gallardo Huerta Iriarte Lozano Montes Navas".split()),
        ("Calle Mayor {}", "Calle del Olmo {}", "Avenida del Mar {}", "Plaza Nueva {}"),
        ("41001 Sevilla", "46003 Valencia", "48005 Bilbao", "50001 Zaragoza"),
    ),
    "it": Country(
        tuple("Arianna Bruno Chiara Davide Elisa Fabio Giulia Irene Luca Marta Nicola Paola Renzo Silvia".split()),
        tuple("Albani Bertoli Cattaneo Donati Fabbri Galli Lombardi Moretti Negri Pavan Rinaldi Sartori".split()),
        ("Via dei Glicini {}", "Via Garibaldi {}", "Corso Italia {}", "Piazza Duomo {}"),
        ("40121 Bologna", "10121 Torino", "35121 Padova", "80121 Napoli"),
    ),
    "nl": Country(
        tuple("Anouk Bram Carlijn Daan Esmee Floris Geertje Hidde Ilse Joost Lotte Maarten Noor Pim".split()),
        tuple("Aalbers Boersma Claassen Dekker Elzinga Hoekstra Jansma Kuipers Meijer Postma Roelofs Terpstra".split()),
        ("Kerkstraat {}", "Dorpsweg {}", "Prinsengracht {}", "Molenpad {}"),
        ("3511 AB Utrecht", "9712 CD Groningen", "6211 EF Maastricht", "2312 GH Leiden"),
    ),
    "pt": Country(
        tuple("Ana Bernardo Catarina Duarte Eduarda Filipe Guilherme Inês João Leonor Mafalda Nuno Rita Tiago".split()),
        tuple("Alves Barros Cardoso Damasceno Esteves Figueira Gomes Henriques Lacerda Moreira Nogueira Pacheco".split()),
        ("Rua das Flores {}", "Avenida da Liberdade {}", "Travessa do Sol {}", "Largo da Fonte {}"),
        ("1100-045 Lisboa", "4000-123 Porto", "3000-210 Coimbra", "8000-300 Faro"),
    ),
}  # fmt: skip

MAIL_HOSTS = ("post.example", "inbox.example", "brightmail.example", "webmail.example")
