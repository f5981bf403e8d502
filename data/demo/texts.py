"""The words from which the sample data is put together: topics, feedback, flashcards, error messages."""

from typing import TypeAlias

# topic -> what people say about it; slots are filled per student so that no two transcripts are the same.
SPEAKING_TOPICS: dict[str, tuple[str, ...]] = {
    "a place you like": (
        "I'd like to talk about {place}, which is about {hours} hours from my home",
        "I first went there with my {relative} when I was {age} years old",
        "what I remember most is the smell of the street food in the evening",
        "it is not so famous, so you don't see many tourists there",
        "in the morning the old people do exercise near the river and it's very peaceful",
        "the thing is, it has changed a lot because they built a big shopping centre",
        "I usually go there when I feel stressed about my study",
        "if you ask me, the best time to visit is after the rainy season",
        "I took so many pictures that my phone was full",
        "I hope that they will keep the old houses instead of replacing them",
        "compared with my city the air is much cleaner",
        "next year I am planning to bring my friends from {city}",
    ),
    "a person who helped you": (
        "the person I want to describe is my {relative}, who helped me a lot with {subject}",
        "at that time I had failed an exam and I didn't want to go to school any more",
        "he didn't get angry, he just sat down with me every evening",
        "what made it special is that he explained everything with examples from daily life",
        "after about {hours} weeks my marks became better and I was more confident",
        "since then we have talked almost every day, even when I moved to {city}",
        "I think that a good teacher listens more than he speaks",
        "I try to do the same for my younger cousin now",
        "to be honest I never told him how thankful I am",
        "if I hadn't met him I would have chosen a different major",
        "people like that are quite rare nowadays because everyone is busy",
    ),
    "a skill you want to learn": (
        "I have always wanted to learn {subject}, since I was about {age}",
        "there was a programme on television and the people in it looked so relaxed",
        "I tried it once but I gave up after {hours} lessons because it was expensive",
        "these days you can find almost everything online for free",
        "the hardest part for me is to practise regularly",
        "my {relative} is really good at it, so maybe I can ask for some help",
        "I suppose it takes years before you can say that you are good",
        "it would be useful for my job because we work with people from many countries",
        "besides, learning something new keeps your brain young, that's what they say",
        "I am going to start again next month when my exams are over",
    ),
    "technology in daily life": (
        "technology has changed the way that we study and work in {city}",
        "for example, my {relative} couldn't use a smartphone {hours} years ago and now she orders everything online",
        "I spend maybe {hours} hours a day in front of a screen, which is too much",
        "on the one hand it saves time, on the other hand we talk less with each other",
        "in my school we were not allowed to use phones and I think that was a good rule",
        "some jobs will disappear, but there will be new ones that we can't imagine yet",
        "the government should teach people how to recognise false information",
        "what worries me is that children can't concentrate for a long time",
        "personally, I turn off the notifications when I learn {subject}",
        "without the internet I wouldn't be able to talk to my friends abroad",
    ),
    "a memorable journey": (
        "two years ago I travelled to {place} with my {relative} by train",
        "it took about {hours} hours, but the view from the window was worth it",
        "we met a family from {city} and they shared their lunch with us",
        "the train stopped in the middle of nowhere because of the heavy rain",
        "at first everybody was annoyed, and then somebody started to sing",
        "I had never seen so many stars before",
        "we arrived very late and the hotel was already closed",
        "luckily the owner lived next door and he opened the door for us",
        "I learned that a plan is only a plan and you must be flexible",
        "if I could do it again I would stay there for at least a week",
    ),
    "environment and cities": (
        "in {city} the traffic is the biggest problem, especially at rush hour",
        "my {relative} needs {hours} times longer to get to work than ten years ago",
        "I believe that public transport should be cheaper, or even free for students",
        "people say they care about the environment but they still use plastic bags",
        "there is a park near {place} where volunteers plant trees every spring",
        "it is difficult to change a habit when everything around you stays the same",
        "companies produce most of the waste, so they should pay for it",
        "at school we had a project about recycling when I was {age}",
        "the air quality was so bad last winter that we stayed at home",
        "small steps are better than nothing, for instance I ride a bicycle now",
    ),
}

# Invented, as everything here; the last one is in the roster but never came.
STUDENTS = (
    "Nguyễn Thị Mai",
    "Trần Văn Minh",
    "Lê Hoàng Anh",
    "Phạm Thu Trang",
    "Somchai Rattana",
    "Kim Min-jun",
    "Park Seo-yeon",
    "Đặng Quốc Huy",
    "Bùi Ngọc Lan",
    "Aisha Rahman",
    "Võ Thanh Tùng",
    "Tanaka Yui",
    "Maria Santos",
    "Hoàng Gia Bảo",
    "Li Wei",
    "Chen Jiayi",
    "Ngô Phương Thảo",
    "Arjun Patel",
    "Priya Sharma",
    "Đỗ Minh Khôi",
    "Lina Haddad",
    "Omar Farouk",
    "Trịnh Bích Ngọc",
    "Jun Watanabe",
    "Dương Hải Yến",
    "Fatima Zahra",
    "Lý Quốc Đạt",
    "Mehmet Yılmaz",
    "Nattaya Chaiwong",
    "Hồ Khánh Linh",
    "Diego Ramírez",
    "Camila Torres",
    "Phan Đức Long",
    "Sara Nilsson",
    "Vũ Hà My",
    "Ivan Petrenko",
    "Nurul Hidayah",
    "Cao Tuấn Kiệt",
    "Elif Demir",
    "Mai Xuân Phúc",
    "Zoë Müller",
)
CLASSES = ("Monday evening", "Wednesday evening", "Saturday intensive")
TEACHERS = ("Ms Phạm Lan", "Mr Davies", "Ms Okafor")
"""Of the classes, in their order."""

PLACES = (
    "the old quarter of Hue",
    "Da Lat",
    "a village near Sapa",
    "Hoi An",
    "the Mekong delta",
    "Ninh Binh",
    "Can Tho",
)
CITIES = ("Hanoi", "Ho Chi Minh City", "Da Nang", "Seoul", "Bangkok", "Singapore", "Melbourne")
RELATIVES = ("grandmother", "older brother", "uncle", "best friend", "aunt", "father", "cousin", "mathematics teacher")
SUBJECTS = ("guitar", "swimming", "public speaking", "cooking", "photography", "coding", "Japanese", "chess")

OPENERS = ("Well, ", "So, ", "OK, ", "Right, ", "")
FILLERS = ("um, ", "you know, ", "I mean, ", "er, ", "how can I say, ", "like, ")
# Where people hesitate: before a word that joins.
BEFORE_A_PAUSE = frozenset(
    [
        "and",
        "but",
        "because",
        "so",
        "when",
        "that",
        "with",
        "for",
        "it",
        "they",
        "we",
        "there",
        "if",
        "which",
        "who",
        "to",
        "in",
        "on",
        "at",
    ]
)
LINKS = ("and ", "so ", "but ", "because of that ", "actually ", "also ", "")

WRITING_TOPICS = (
    "whether university education should be free",
    "the causes of traffic in large cities",
    "working from home",
    "what families spend on food",
    "protecting old buildings",
    "the effect of tourism on small islands",
    "how children use the internet",
    "recycling paper",
    "learning a language at primary school",
    "museums and public money",
    "where electricity comes from",
    "ageing populations",
)

Levels: TypeAlias = tuple[tuple[str, str, str], ...]
"""Three sentences for each level of work, the lowest first; {topic}, {word}, {link} and {filler} are filled in."""

STRENGTHS: dict[str, Levels] = {
    "task_achievement": (
        (
            "The answer stays on {topic} most of the time.",
            "One of the main ideas is explained well.",
            "There is an opinion, and the reader can find it.",
        ),
        (
            "A clear position on {topic} is held from the introduction to the conclusion.",
            "Ideas are extended and supported with precise examples.",
            "Every part of the question is answered.",
        ),
    ),
    "coherence": (
        (
            "The introduction says what the answer is about.",
            "Ideas stand in an order that can be followed.",
            "There are paragraphs, each with a first sentence of its own.",
        ),
        (
            "Each paragraph has a clear central topic.",
            "Cohesion is natural and rarely draws attention to itself.",
            "Referencing is accurate throughout.",
        ),
    ),
    "lexical": (
        (
            "The basic vocabulary for {topic} is there.",
            "Common words are mostly spelled right.",
            "Some topic words are used with the right meaning.",
        ),
        (
            "Precise and natural collocations about {topic}.",
            "A wide range of vocabulary, with only rare slips.",
            "Paraphrase is used well in the introduction.",
        ),
    ),
    "grammar": (
        (
            "Short sentences are mostly correct.",
            "Full stops and capital letters are in their places.",
            "The present simple is used correctly.",
        ),
        (
            "Complex sentences are frequent and mostly free of errors.",
            "Conditionals and passives are used flexibly.",
            "Punctuation helps the reader.",
        ),
    ),
}
"""What is good in a piece of Writing, by criterion."""
WEAKNESSES: dict[str, Levels] = {
    "task_achievement": (
        (
            "The essay drifts away from {topic}; only one part of the question is answered.",
            "The position is not clear until the last paragraph.",
            "Ideas about {topic} are listed, but none is explained.",
        ),
        (
            "The second view on {topic} is thin.",
            "Two of the main ideas need an example.",
            "The conclusion only repeats the introduction.",
        ),
    ),
    "coherence": (
        (
            "Paragraphs hold several ideas each.",
            "Linking words such as “{link}” are used mechanically at the start of each sentence.",
            "It is hard to see what “this” and “it” refer to.",
        ),
        (
            "The links inside paragraphs could be smoother.",
            "“{link}” appears four times.",
            "The conclusion brings in a new idea.",
        ),
    ),
    "lexical": (
        (
            "The same words are repeated, above all “{word}”.",
            "Several wrong word forms, such as “economy growth” for “economic growth”.",
            "Spelling errors make two sentences hard to follow.",
        ),
        (
            "Some collocations about {topic} are unnatural.",
            "Less common words are not always used accurately.",
            "“{word}” is used where a more precise word exists.",
        ),
    ),
    "grammar": (
        (
            "Subject and verb often disagree (“people is”).",
            "Most sentences are simple.",
            "Articles are missing before countable nouns.",
        ),
        (
            "About one complex sentence in three has an error.",
            "The past perfect is missing where one event is before another.",
            "Some commas join two whole sentences.",
        ),
    ),
}
"""What is weak in a piece of Writing, by criterion."""
COMMENTS: dict[str, Levels] = {
    "fluency": (
        (
            "Long pauses before nouns; practise speaking about {topic} for one minute without stopping.",
            "Many sentences are started and given up.",
            "Answers are short and need a reason or an example.",
        ),
        (
            "Speaks at length, with some hesitation when searching for words.",
            "“{filler}” is overused as a filler.",
            "Ideas are connected, though sometimes repeated.",
        ),
        (
            "Speaks at length without noticeable effort.",
            "Hesitation is about ideas rather than language.",
            "Topics are developed fully and coherently.",
        ),
    ),
    "lexical": (
        (
            "“{word}” is said again and again; find two alternatives.",
            "A missing word often ends the sentence; describe it with other words.",
            "Word forms are mixed up, such as “I am boring” for “I am bored”.",
        ),
        (
            "There is enough vocabulary for {topic}, with some unnatural collocations.",
            "Less common words are attempted, not always accurately.",
            "Missing words are described with others, mostly with success.",
        ),
        (
            "Talks about {topic} with precise and natural collocations.",
            "Idiomatic language comes easily, with only rare slips.",
            "Paraphrases without a pause where a word is missing.",
        ),
    ),
    "grammar": (
        (
            "The ending of the verb is often missing (“he go”).",
            "Nearly all sentences are simple; join them with “because” and “which”.",
            "Past events are told in the present tense.",
        ),
        (
            "A mix of simple and complex sentences, with errors in about one in three.",
            "Tenses are mostly right; check the past perfect in stories.",
            "Questions and conditionals are tried, with some errors.",
        ),
        (
            "Long sentences are mostly free of errors.",
            "Conditionals come naturally, also unreal ones.",
            "Errors are few, and corrected at once.",
        ),
    ),
    "pronunciation": (
        (
            "Final consonants are dropped, so “work” and “worked” sound the same.",
            "Word stress falls on the wrong syllable in longer words.",
            "Speech is flat; stress the words that carry the meaning.",
        ),
        (
            "Easy to understand in general; “th” and “s” are sometimes mixed up.",
            "Intonation is used to some effect, not yet consistently.",
            "Chunking is good in short sentences and weaker in long ones.",
        ),
        (
            "Stress and intonation carry the meaning well.",
            "Individual sounds are clear throughout.",
            "The accent has no effect on understanding.",
        ),
    ),
}
"""What is said of Speaking, good and bad, by criterion."""

WRITING_SUGGESTIONS = (
    "Plan one idea for each paragraph before you write.",
    "Write the conclusion first and check that every paragraph leads to it.",
    "Collect ten collocations about {topic} and use five of them in the next essay.",
    "Read the last paragraph aloud and cut what it repeats.",
    "Replace “{word}” by a more precise word each time.",
    "Check every verb in the past tense before you hand in the essay.",
    "Give an example for each main idea.",
)
SPEAKING_SUGGESTIONS = (
    "Record a two-minute answer about {topic} and listen for pauses.",
    "Make notes for one minute, then speak about {topic} for two.",
    "Answer with a reason and an example each time.",
    "Practise three other ways to say “{word}”.",
    "Take a breath instead of saying “{filler}”.",
    "Repeat a short recording sentence by sentence, with the same stress.",
    "Tell a friend about yesterday, in the past tense only.",
)
# As many of each, so that one draw chooses from all three.
OVERUSED = ("very", "good", "people", "important", "thing", "big", "nice", "a lot", "bad")
OVERUSED_LINKS = ("moreover", "in addition", "however", "therefore", "firstly", "besides", "also", "furthermore", "so")
OVERUSED_FILLERS = ("like", "actually", "you know", "I mean", "um", "well", "basically", "sort of", "so")

DECKS: dict[str, tuple[tuple[str, str], ...]] = {
    "academic-word-list.pdf": (
        ("What does “to allocate” mean?", "To give something out for a particular purpose: to allocate funds."),
        ("Give a synonym of “significant”.", "Considerable, substantial."),
        ("What is the noun of “to assess”?", "Assessment."),
        ("Use “despite” in a sentence.", "Despite the rain, attendance was high. (No “of” after despite.)"),
        ("What does “to fluctuate” mean?", "To rise and fall irregularly: prices fluctuated between 2 and 4 dollars."),
        ("Which preposition follows “to consist”?", "Of: the course consists of six units."),
        ("What does “prevalent” mean?", "Common in a place or at a time."),
        ("What is the opposite of “abundant”?", "Scarce."),
        ("What does “to undermine” mean?", "To make something weaker, little by little."),
        ("Give the adjective of “controversy”.", "Controversial."),
        ("What does “a discrepancy” mean?", "A difference between two things that should be the same."),
        ("How is “whereas” used?", "To contrast two facts: exports rose, whereas imports fell."),
        ("What does “feasible” mean?", "Possible to do in practice."),
        ("What is the verb of “emphasis”?", "To emphasise (British), to emphasize (American)."),
    ),
    "task1-trends.pdf": (
        ("How do you describe a small rise?", "A slight increase; it edged up."),
        ("How do you describe a sudden fall?", "It plummeted; there was a sharp drop."),
        ("What does “to level off” mean?", "To stop rising or falling and stay the same."),
        ("Which tense describes a trend from 1990 to 2000?", "The past simple."),
        ("How do you say that a value was highest in May?", "It peaked in May at 40 per cent."),
        ("Per cent or percentage?", "A number takes per cent; without a number say percentage."),
        ("What belongs in an overview?", "The two or three main features, without figures."),
        ("How do you compare 20 and 40?", "Twice as high as; double the figure."),
        ("What does “respectively” do?", "It matches two lists in order: 20 and 30 per cent respectively."),
    ),
    "speaking-part2-idioms.pdf": (
        ("What does “once in a blue moon” mean?", "Very rarely."),
        ("What does “to be over the moon” mean?", "To be extremely happy."),
        ("What does “a blessing in disguise” mean?", "Something that seemed bad and turned out well."),
        ("How can you win time in an answer?", "That's an interesting question; let me think for a second."),
        ("What does “to hit the books” mean?", "To study hard."),
        ("What does “down to earth” mean?", "Practical and friendly."),
        ("Give an alternative to “I think”.", "From my point of view; as far as I'm concerned."),
        ("What does “to lose track of time” mean?", "To forget what time it is because you are busy."),
        ("What does “a piece of cake” mean?", "Something very easy."),
        ("What does “to go the extra mile” mean?", "To do more than is expected."),
    ),
    "environment-vocabulary.pdf": (
        ("What is “a carbon footprint”?", "The greenhouse gases that a person or company causes."),
        ("What does “renewable” mean?", "Replaced by nature as fast as it is used."),
        ("What is “deforestation”?", "The cutting down of forests over a large area."),
        ("Give a verb that goes with “emissions”.", "To cut, to reduce, to curb emissions."),
        ("What does “sustainable” mean?", "Able to continue without using up resources."),
        ("What is “a by-product”?", "Something made while producing something else."),
        ("What does “to be on the verge of extinction” mean?", "To be about to die out."),
        ("What is “a landfill”?", "A place where waste is buried."),
    ),
    "linking-words.pdf": (
        ("Which connectors show a result?", "Therefore, as a result, consequently."),
        ("Which connectors show a contrast?", "However, on the other hand, nevertheless."),
        ("What is wrong with “Although…, but…”?", "Use one of them, not both."),
        ("Where does “however” stand?", "At the start, after a full stop, with a comma behind it."),
        ("Give an alternative to “for example”.", "For instance; such as; to illustrate."),
        ("What does “albeit” mean?", "Although: a useful, albeit expensive, method."),
        ("How do you introduce a last point?", "Finally; last but not least (informal)."),
    ),
}

# What the three Lambda functions write when they fail: the reason, and how common it is.
ERRORS = (
    ("ThrottlingException: Too many requests to model {model}, retry after {n} ms (request {id})", 6),
    ("Task timed out after 900.0{n} seconds", 3),
    ("JSONDecodeError: Expecting ',' delimiter: line 1 column {n} (char {n})", 3),
    ("ReadTimeoutError: HTTPSConnectionPool: Read timed out. (read timeout=60) request {id}", 2),
)
WRITING_ERRORS = (*ERRORS, ("The essay has only {n} words; at least 50 are needed", 2))
SPEAKING_ERRORS = (*ERRORS, ("Audio file uploads/audio/{user}/{id}.webm could not be decoded: no audio stream", 4))
SET_ERRORS = (
    ("PDF uploads/documents/{user}/{id}.pdf is encrypted", 2),
    ("No text found on any of {n} pages", 2),
    ("ValidationException: Too many input tokens. Max input tokens: 8192, request input token count: {n}", 1),
)
