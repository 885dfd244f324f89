"""Sentences: what the scripted provider can say, by language and place in a speech. `{a}`, `{b}`, `{c}` are topics."""

import msgspec


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The sentences of one language."""

    openings: tuple[str, ...]
    expert_openings: tuple[str, ...]
    arguments: tuple[str, ...]
    expert_arguments: tuple[str, ...]
    closings: tuple[str, ...]
    expert_closings: tuple[str, ...]
    results: tuple[str, ...]
    """Told after a tool gave something back; `{result}` is what it gave, `{tool}` its name."""
    subjects: tuple[str, str, str]
    """What to speak of when the text names fewer than three things."""
    reply_openings: tuple[str, ...] = ()
    """For questions and wishes; the other openings serve when there are none."""


ENGLISH = Book(
    openings=(
        "Your point about {a} deserves a fair hearing, yet it leaves out the question of {b}.",
        "It is tempting to see {a} that way, but a closer look at {b} tells another story.",
        "I understand the concern about {a}; still, the larger question is one of {b}.",
        "There is some truth in what you say about {a}, though it stops short of {b}.",
        "Let us start from {a}, since any judgement on {b} rests on it.",
    ),
    reply_openings=(
        "The short answer: look at {a} first, then at {b}.",
        "What matters most here is {a}, seen together with {b}.",
        "I would begin with {a}, because it decides much of what can be said about {b}.",
    ),
    expert_openings=(
        "Having studied {a} for more than twenty years, I can tell you that the link with {b} is no longer in dispute.",
        "As a specialist in {a}, I have seen this claim tested again and again, and on the question of {b} it fails.",
        "In my own field work on {a}, one finding keeps returning: the role of {b} cannot be set aside.",
        "Speaking as an expert who has advised governments on {a}, I must be frank about {b}.",
    ),
    arguments=(
        "Any change in {a} reaches {c} sooner or later, and the cost of waiting grows every year.",
        "What looks like a saving on {c} today usually returns as a larger bill for {a} tomorrow.",
        "Past experience shows that care for {b} has helped {c} more often than it has done harm.",
        "The two are not opposites: progress on {a} creates room for {c}.",
        "Without a clear view of {c}, any judgement about {a} stays incomplete.",
    ),
    expert_arguments=(
        "The strongest studies compare places that acted on {a} with places that did not, and for {c} the gap is wide.",
        "Three independent lines of evidence point the same way: the long records of {a}, the models of {b}, and the plain"
        " accounts of those who deal with {c} every day.",
        "My colleagues and I followed {c} for a decade; wherever the case for {a} was taken seriously, results improved.",
        "Consider what the figures say: each step on {a} returned its cost several times over, through {c} above all.",
        "The usual objection takes {b} as given, but every careful study of {a} shows how much depends on our choices.",
    ),
    closings=(
        "How would you account for {c} if {a} did not matter?",
        "That is why {a} should stand at the centre of this discussion.",
        "So the wiser course is to weigh {b} together with {a}.",
    ),
    expert_closings=(
        "I have staked my career on this conclusion, and the evidence on {a} has only grown stronger: the time to act is now.",
        "No serious researcher I know still doubts it, and whoever cares about {c} should welcome that certainty.",
        "Weigh the record honestly and you will find, as I did, that the answers on {a} and on {c} stand or fall together.",
    ),
    results=(
        "I looked it up with {tool}: {result}",
        "Here is what {tool} returned: {result}",
        "According to {tool}: {result}",
    ),
    subjects=("the question itself", "the evidence at hand", "the people concerned"),
)

FRENCH = Book(
    openings=(
        "Votre remarque sur « {a} » mérite d'être entendue, mais elle oublie « {b} ».",
        "Il est tentant de voir « {a} » ainsi, pourtant « {b} » raconte une autre histoire.",
    ),
    expert_openings=(
        "Spécialiste de « {a} » depuis plus de vingt ans, je peux vous assurer que le lien avec « {b} » n'est plus contesté.",
        "En tant qu'experte, j'ai vu cette thèse mise à l'épreuve, et c'est sur « {b} » qu'elle échoue.",
    ),
    arguments=(
        "Quand « {a} » évolue, « {c} » évolue aussi, et le prix de l'attente augmente chaque année.",
        "L'expérience montre que l'attention portée à « {b} » a plus souvent renforcé « {c} » qu'elle ne lui a nui.",
    ),
    expert_arguments=(
        "Les meilleures études comparent les régions qui ont agi sur « {a} » aux autres : l'écart pour « {c} » est grand.",
        "Nous avons suivi « {c} » pendant dix ans : partout où « {a} » a été pris au sérieux, la situation s'améliore.",
    ),
    closings=("Comment expliqueriez-vous « {c} » si « {a} » ne comptait pas ?",),
    expert_closings=(
        "Pesez honnêtement les faits et vous verrez, comme moi, que « {a} » et « {c} » sont inséparables.",
    ),
    results=("Voici ce que {tool} a répondu : {result}",),
    subjects=("la question elle-même", "les faits", "les personnes concernées"),
)

GERMAN = Book(
    openings=(
        "Ihr Hinweis auf „{a}“ verdient Gehör, doch er lässt „{b}“ aus.",
        "Es liegt nahe, „{a}“ so zu sehen, aber „{b}“ erzählt eine andere Geschichte.",
    ),
    expert_openings=(
        "Nach mehr als zwanzig Jahren Forschung zu „{a}“ kann ich sagen: Der Zusammenhang mit „{b}“ ist nicht mehr strittig.",
        "Als Fachmann habe ich diese Behauptung oft geprüft gesehen, und an „{b}“ scheitert sie.",
    ),
    arguments=(
        "Wenn sich „{a}“ ändert, ändert sich auch „{c}“, und das Warten wird jedes Jahr teurer.",
        "Die Erfahrung zeigt, dass die Sorge um „{b}“ öfter „{c}“ gestärkt als geschadet hat.",
    ),
    expert_arguments=(
        "Die besten Studien vergleichen Regionen, die bei „{a}“ handelten, mit anderen, und der Abstand bei „{c}“ ist groß.",
        "Wir haben „{c}“ zehn Jahre lang verfolgt: Wo „{a}“ ernst genommen wurde, besserte sich die Lage binnen fünf Jahren.",
    ),
    closings=("Wie erklären Sie „{c}“, wenn „{a}“ keine Rolle spielte?",),
    expert_closings=(
        "Wägen Sie die Belege ehrlich ab, und Sie werden wie ich sehen: „{a}“ und „{c}“ gehören zusammen.",
    ),
    results=("Das hat {tool} ergeben: {result}",),
    subjects=("die Frage selbst", "die Belege", "die Betroffenen"),
)

SPANISH = Book(
    openings=(
        "Su comentario sobre «{a}» merece ser escuchado, pero olvida «{b}».",
        "Es tentador ver «{a}» de ese modo, aunque «{b}» cuenta otra historia.",
    ),
    expert_openings=(
        "Tras más de veinte años estudiando «{a}», puedo asegurarle que su relación con «{b}» ya no se discute.",
        "Como especialista, he visto poner a prueba esta tesis muchas veces, y es en «{b}» donde falla.",
    ),
    arguments=(
        "Cuando cambia «{a}», cambia también «{c}», y esperar cuesta más cada año.",
        "La experiencia muestra que atender a «{b}» ha reforzado «{c}» más veces de las que lo ha dañado.",
    ),
    expert_arguments=(
        "Los mejores estudios comparan las regiones que actuaron sobre «{a}» con las demás: la diferencia en «{c}» es enorme.",
        "Mis colegas y yo seguimos «{c}» durante diez años: donde «{a}» se tomó en serio, la situación mejoró en cinco años.",
    ),
    closings=("¿Cómo explicaría «{c}» si «{a}» no importara?",),
    expert_closings=("Sopese los datos con honestidad y verá, como yo, que «{a}» y «{c}» van siempre juntos.",),
    results=("Esto es lo que devolvió {tool}: {result}",),
    subjects=("la cuestión misma", "los hechos", "las personas afectadas"),
)

BOOKS = {"english": ENGLISH, "french": FRENCH, "german": GERMAN, "spanish": SPANISH}
