"""The words of the synthetic corpus, by part of speech; chosen to cover every phone."""

NAMES = tuple(
    "Alice Arthur Barbara Bob Carol Charlie Cynthia Dan David Doris Edith Emma Ethan Fay Floyd "
    "Frank George Gina Grace Hugh Hannah Iris Ivan Jack Jenny Joyce Judy Keith Kevin Laura Leo "
    "Lucy Mary Matthew Megan Nathan Nora Oscar Paul Peggy Quincy Rachel Roy Ruth Sheila Simon "
    "Susan Thelma Tom Tony Troy Ursula Victor Wendy Yolanda Yvonne Zachary Zoe".split()
)

PEOPLE = tuple(
    "actor artist aunt author baby baker barber boy brother builder butcher captain carpenter "
    "child clerk coach cook cousin customer dancer daughter dentist doctor driver engineer expert "
    "farmer father fisherman friend gardener girl grandfather guard guest guide hunter husband "
    "judge king lady lawyer leader mayor mechanic merchant miner mother musician neighbor nephew "
    "nurse officer painter pilot player poet prince printer prisoner professor queen ranger "
    "reporter runner sailor scholar scientist shepherd singer sister soldier stranger student "
    "surgeon tailor teacher thief tourist trader uncle visitor waiter watchman widow wife witness "
    "woman worker writer youth".split()
)

THINGS = tuple(
    "apple arrow axe bag ball banana basket bath beach bean bear bed bell belt bench bird blanket "
    "boat book boot bottle bowl box branch bread brick bridge broom brush bucket bus butter "
    "button cabbage cabin cage cake camera candle cap car card carpet carriage cart castle cat "
    "chain chair chalk cheese cherry chest chicken chimney church cigar clock cloth cloud coat "
    "coffee coin collar comb cookie cord corn cottage couch cow crate cup cupboard curtain "
    "cushion dagger desk diamond dish dog doll donkey door drawer dress drum duck earring egg "
    "elbow engine envelope feather fence field fiddle fish flag flame flower flute fork fountain "
    "fox frog fruit garage garden garment gate giraffe glass glove goat goose grape guitar gun "
    "hammer hammock hat hedge helmet hill hinge hole honey hook horse hotel house iron island "
    "jacket jar jewel juice jug kettle key kitchen kite knife ladder lake lamp leaf leather lemon "
    "letter library lion lizard lock log lunch machine map marble mask match measure medal melon "
    "message milk mirror money monkey moon motor mountain mouse mud mushroom nail napkin necklace "
    "needle nest net newspaper notebook oar ocean office oil onion orange oven owl ox package "
    "page paint palace pan paper parcel peach pearl pen pencil pepper piano picture pig pigeon "
    "pillow pipe pitcher plate plow pocket pond pool porch potato pot prize puddle pumpkin puppy "
    "purse puzzle rabbit radio raft railing rake razor ribbon rice ring river road robe rock "
    "rocket roof room rope rose ruler sack saddle salad sandwich saw scarf scissors shadow sheep "
    "shelf shell ship shirt shoe shovel shower silk sink skirt sled snake soap sock sofa soup "
    "spear spider spoon stamp station statue stone stool store stove straw street string sugar "
    "suitcase sweater sword table tail tape teapot temple tent theater thimble thorn thread thumb "
    "ticket tiger tire toast tooth tower towel toy track tractor train tray treasure tree trunk "
    "tub tunnel turkey turtle umbrella valley vase vegetable vest village violin wagon wall watch "
    "water well wheel whip whistle window wing wolf wool yacht yarn zipper".split()
)

IDEAS = tuple(
    "advice age anger answer beauty belief chance charge choice color comfort confusion courage "
    "culture danger decision delay desire doubt dream duty earth effort error evening exposure "
    "failure faith fashion fear feature fortune freedom future habit happiness harvest health "
    "history hope hour hunger idea illusion interest journey joy justice knowledge labor language "
    "laughter law leisure length liberty luck memory method mood morning motion music nature "
    "noise noon number occasion opinion order pain patience peace permission pleasure poverty "
    "power pressure pride problem progress promise purpose question reason revenge rhythm rule "
    "sadness safety sailing season secret shame silence skill sleep smoke sorrow sound strength "
    "style success summer surprise television thought thunder time tradition trouble truth usage "
    "value version vision voice vote war warmth weather weight winter wisdom wish wonder work "
    "worth year youthfulness zeal".split()
)

PLACES = tuple(
    "airport barn basement beachhouse border capital cellar cave city coast college corner "
    "country courtyard desert edge factory farm forest hallway harbor highway hospital jungle "
    "market meadow mill mine museum northern park path playground prairie ranch restaurant "
    "schoolyard seashore shore sidewalk south stable stage suburb swamp terrace town university "
    "upstairs vineyard warehouse waterfall workshop yard zoo".split()
)

ADJECTIVES = tuple(
    "able ancient angry awful awkward bad bare beautiful big bitter black blue bold brave brief "
    "bright broken brown busy calm careful cautious cheap clean clever cold common cool crazy "
    "cruel curious curly damp dangerous dark dear deep dirty dry dull eager early easy empty "
    "enormous equal evil faint fair famous fat final fine fresh friendly full funny gentle giant "
    "glad golden good grand gray great green happy hard harsh healthy heavy high hollow honest "
    "hot huge humble icy idle jealous jolly joyful junior large lazy little lonely long loud "
    "lovely low loyal lucky mild modern narrow nasty natural near neat nervous new nice noisy "
    "normal odd old open ordinary pale patient perfect plain pleasant poor precious pretty proud "
    "pure purple quick quiet rare raw ready rich ripe rough round royal rude rusty sad safe "
    "scarce serious shallow sharp shiny short shy silent silly simple slow small smart smooth "
    "soft sour special square steep stiff strange strong stupid sudden sure sweet tall tame "
    "tender thick thin tight tiny tired tough true ugly unusual urgent usual vague vast warm weak "
    "wealthy weird wet white whole wide wild wise wooden wrong yellow young".split()
)

VERBS = tuple(  # in the past tense, each with an object
    "admired asked avoided bought borrowed bothered broke brought brushed buried burned called "
    "carried caught changed chased checked chose cleaned climbed closed collected cooked counted "
    "covered crossed crushed delivered described destroyed discovered divided dragged drew "
    "dropped enjoyed examined exchanged followed forgot fetched finished fixed found gathered "
    "gave grabbed guarded handed hated heard hid hit hugged ignored imagined joined judged kept "
    "kicked kissed knew lifted liked loved loaded measured mended missed moved noticed offered "
    "opened ordered owned packed painted passed paid picked placed played pleased polished pulled "
    "pushed raised reached received refused remembered repaired rubbed saved saw shared shook "
    "showed smelled sold stole studied thanked threw touched toured treated tried trusted used "
    "visited wanted warned washed watched welcomed wore wrapped".split()
)

ACTIONS = tuple(  # in the past tense, without an object
    "agreed appeared argued arrived bowed breathed coughed cried danced disappeared dreamed "
    "fainted fell fished froze giggled grew hurried jumped knelt laughed listened nodded paused "
    "prayed rested returned rode sang sat shouted slept slipped smiled sneezed spoke stayed stood "
    "stumbled swam talked thought traveled vanished waited walked wandered whistled worried "
    "yawned yelled".split()
)

ADVERBS = tuple(
    "again alone already always anyway apparently away badly barely boldly bravely calmly "
    "carefully casually cheerfully closely daily eagerly easily eventually exactly finally "
    "forever formerly gently gladly happily hardly hourly immediately indoors joyfully lately "
    "loudly mostly never nearly nervously often once outside partly patiently politely possibly "
    "proudly quickly quietly rarely roughly sadly safely seldom sharply silently slowly smoothly "
    "softly somehow sometimes soon suddenly surely together tomorrow tonight truly twice usually "
    "warmly yesterday".split()
)

DETERMINERS = tuple("the a this that each every another my your his her our their some".split())

PREPOSITIONS = tuple(
    "above across after against along among around at before behind below beneath beside between "
    "beyond by down during for from in inside into near of off on onto over past through toward "
    "under until up upon with within without".split()
)

CONJUNCTIONS = tuple("and but or so while because although since unless whenever".split())

NUMBERS = tuple(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "twenty thirty forty fifty sixty seventy eighty ninety".split()
)
