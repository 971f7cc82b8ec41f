"""How people ask for what tools do: the everyday words beside those of `finding_needs`.

Nobody says "geocode" or "line chart": they are standing somewhere, or want to see how something
developed. Whoever wrote these entries had read no task of LiveMCPBench, so the bench leaves them in
where it asks what is found of tasks that nobody had read. What its tools are called was known: a
third of the steps are the words of one of their names, so other people's tools may be found less
well. Those of software and files stand in `finding_needs_daily_work`.
"""

from __future__ import annotations

from tokenbudget.gateway.mcp.finding_needs_daily_work import DAILY_WORK

DAILY_LIFE = """
on the map, mark them, mark all, marked on, location of, pin => generate pin map 0.8
draw the route, draw the trip, show the route, stop on the way => generate path map 0.9
where can i buy, cheapest, price comparison, compare price, best price, shop, store, review, test
 report, critic, opinion, what do people, what people say, best way, which is better, competitor,
 worth buying, brand
 => web search 0.9 ; fetch url website 0.7
who won, who invented, which country, what is the capital, population of, founded by, founded in,
 meaning of, inventor
 => web search 0.5 ; search wikipedia 0.5
background on, summary of the article, main fact, fact, life of, work of, biography
 => search wikipedia 0.8 ; get wikipedia article 0.7 ; wikipedia article summary 0.7 ; extract key
    facts 0.6
see also, related topic, further reading => related topics article 0.7
standing at, where am i, where i am, these coordinate, this spot, what is at
 => reverse geocode address ; explore area 0.7 ; find nearby places 0.6
in the middle, equally far, equidistant, convenient for all, halfway, midway
 => suggest meeting point ; geocode address 0.8
eat out, have lunch, have dinner, have a coffee, for a drink, bakery, atm, cash machine,
 playground, park nearby, park, petrol station, gas station, close by, next to the, in the area,
 around the corner, surrounding, vicinity, neighbouring, clinic, dentist, library near
 => find nearby places ; geocode address 0.9 ; search category places area 0.6
drive, driving, walk there, walking, on foot, by car, by bike, cycle, how do i get, get from, long
 does it take, quickest way, fastest way, from home
 => route directions ; geocode address 0.9
travel every day, every day to, to work, to the office, to my office, every morning to
 => analyze commute
move to, moving to, relocate, relocating, pleasant, livable, liveable, quality of life, safe area,
 good area, area to live, buy a house, flat hunting
 => analyze neighborhood ; explore area 0.6 ; geocode address 0.7
leave the car, leave my car, park the car, park my car, park there, where can i park, car park
 => find parking facilities
charge, charge the car, charge my car, recharge, plug in, battery => find charging stations 0.9
primary school, secondary school, high school, elementary, kid to school, education nearby
 => find schools nearby
flat, villa, house for, night, stay for, stay in, a stay, guest, bed, bedroom, cottage, holiday
 home, room for, offer, amenity, book a room
 => search homestay listings ; listing details 0.8
seat, railway station, by train, connection, carriage, second class, departure
 => train tickets query ; station code of city 0.9 ; train route stations 0.7 ; current date 0.6
time difference, what time is it, am in, pm in, o'clock, noon in, in local time, colleague in,
 call with
 => convert time timezone 0.9 ; current time 0.7
pack, clothe, outdoor, picnic, hike, hiking, barbecue, beach, ski, skiing, storm
 => weather forecast 0.8
in january, in february, in march, in april, in may, in june, in july, in august, in september, in
 october, in november, in december, by the end of, end of this, before the end, expire, how old,
 how long ago, since, newest, most recent
 => current time date 0.6
executive, board member, management sell => insider trades
fund, fund own, who own share, biggest owner, owner of the company, own the company
 => institutional holders
next result, report next, earning call, earning date, quarterly figure => earnings dates
nervous, scared, mood, panic, greedy, fearful, optimistic, pessimistic, market fear, bullish,
 bearish
 => fear greed index
price-earnings, p e, earning per share, eps, book value, price to book
 => stock fundamental data 0.8 ; ticker financial metrics 0.7
company worth, how valuable, capitalisation => stock market cap
profit and loss, p l, net income, operating income, margin, sale of the company => income statement
money in and out, free cash, cash position, capital expenditure => cash flow
advise, advice on share, should i buy, should i sell, hold or sell, rating of the share, outlook
 for
 => analyst recommendations
share fell, share rose, how did, performed, performance of, closing price, opening price, daily
 price, return on, return, volatility, moving average
 => historical stock prices 0.9 ; stock price history 0.8
written about, in the press, headline about, said about, announcement
 => company stock news 0.6 ; get news 0.6
call on, put on, call option, put option, expiration, expiry => stock options
biggest company, largest company, top company, best fund, top fund, index fund, largest
 => top companies etf sector 0.8
coin, token, trading volume, on which exchange, crypto exchange, crypto market
 => crypto price ; market analysis crypto 0.8 ; historical analysis crypto 0.8 ; research token
    0.6
krone, kroner, crown, franc, peso, ruble, rupee, baht, lira, zloty, real, dirham, exchange money,
 foreign money, converted to, in us dollar
 => exchange rate currency
value of my, i own, i hold, my holding, altogether, in total
 => calculate expression 0.7 ; asset price 0.6
salary, saving, save up, tax, tip, interest, loan, mortgage, instalment, repay, per person, per
 month, how much is left, left over, square root, formula, equation, solve, expense, spend, cost
 per, cost, area of, volume of, bmi, calorie
 => calculate expression 0.8
study, publication, scientific, researcher => search papers 0.7; search biomedical articles 0.7
recent advance, survey of, read up on, method of, get the paper, abstract, author, citation
 => search papers ; download paper 0.6 ; read paper 0.7 ; paper details 0.6
mutation, pathogenic, cause disease, allele, snp, dna, genome, frequency
 => search genetic variant ; variant details 0.9 ; predict variant effect 0.4
enrol, enroll, recruiting, recruit, looking for patient, volunteer, eligible, participate in a
 study, placebo
 => search clinical trials ; clinical trial locations contact 0.9 ; clinical trial details 0.7
symptom, diabete, alzheimer, asthma, tumor, tumour, vaccine, medicine, medication, syndrome,
 virus, infection, hospital study
 => search biomedical articles 0.8 ; search clinical trials 0.7
figure on, statistic on, data on, data about, official data, government, ministry, open data set,
 public record
 => search dataset package 0.8 ; dataset package details 0.8 ; list dataset tags 0.4
mid lane, mid-lane, jungle, jungler, bot lane, top lane, support lane, rune, counter pick, ban
 rate, pick rate
 => champion positions ; champion analysis ; champion meta 0.6
lck, lpl, lec, lcs, world, esport, playoff, next game, league match
 => esports match schedules ; esports team standings
agent, shooter, team composition, which map
 => characters statistics ; meta maps 0.7 ; agents composition map 0.8
item, equip => champion item build 0.5
gamer tag, my match, my last game, match record, player profile
 => player match history 0.8 ; summoner search 0.7
card, trap card => search cards 0.9; get card by id 0.7; card image 0.7
play a game, white, black, e4, d4, opening, checkmate in, legal move, knight, bishop, pawn
 => new chess game 0.8 ; make chess move 0.8 ; chess board visualization 0.8 ; valid chess moves
    0.7
by chance, at random, draw a winner, draw winner, winner, random order, luck, choose one of, lot
 => random sample choose 0.9 ; random shuffle 0.8
recording, beat a minute, beat per minute, how fast is the, rhythm, pitch of, duration of the
 song, podcast, long it last, how long is the song
 => load audio ; audio tempo 0.9 ; audio duration 0.9 ; download audio url 0.6
watch, clip, vlog, ted talk, youtu, video say, what is said => video transcript 0.9
artist, gallery, exhibition, masterpiece, art collection, impressionist, renaissance, ceramic,
 statue
 => search museum objects ; museum object details 0.9
cooking for, cook for, how to cook, how do i make, make at home, noodle, rice, pork, beef,
 chicken, tofu, fish dish, tomato, egg
 => recipe details 0.9 ; recommend dish 0.7 ; recipes by category 0.5
dinner for, dish, meal, meal for, cannot eat, can not eat, intolerant, vegan, what to buy, family
 dinner, guest for dinner
 => recommend meals ; recommend dish what to eat 0.8
wedding, moving house date, favourable day, good day for
 => chinese calendar almanac 0.9 ; current date 0.5
eight character, four pillar, year of birth, i was born, born in, astrology, star sign
 => birth fortune 0.9
talking about, talk of the town, everyone talk, popular today, people are searching, gossip
 => trending topics 0.9 ; hot news trending 0.6
discussion, discuss, discussed, commenter, forum, thread, what do developer
 => stories comments search 0.9 ; story with comments 0.9 ; comment tree 0.5
newspaper, press review, digest, in the world, world affair => get news 0.9; news trending 0.5
reader, reading, read most, bestselling => book rank list 0.8
on tv, cinema, watch tonight, in theater, in theatre => movie rank list 0.8
bargain, good value, special offer, black friday, cheap => shopping deals rank 0.9
star, most star, gaining, hot project, rising project
 => trending repositories ; trending developers 0.5
glow, glowing, shiny, typing effect, moving background, confetti, eye-catching
 => ui buttons 0.7 ; text animations 0.8 ; special effects 0.7 ; backgrounds 0.5
secret, random string, token of, byte => generate secure random token 0.9
shopping guide, buying guide, product comparison, specification, spec, price of, how expensive,
 which laptop, which phone, laptop, camera, headphone, gift, present for, product, brand, model
 of, second-hand, in stock, retailer, seller, order online
 => web search 0.8 ; product recommendation shopping deals 0.5 ; fetch url website 0.4
ticket price, opening hour, entrance fee, admission, book ticket, concert, festival, exhibition,
 event in, what is on, theater, theatre, show time
 => web search 0.8 ; fetch url website 0.5
visa, passport, custom, travel advice, currency there, local custom, tipping
 => web search 0.8 ; search wikipedia 0.4
current price, live price, market price, quote, quote for => current price 0.8
university, scholarship, course, degree, admission requirement, job, vacancy, salary of,
 internship, career
 => web search 0.8 ; fetch url website 0.4
law, regulation, policy, tax rule => web search 0.7
how to, tip for, instruction for, advice on, best practice, checklist for => web search 0.6
olympic, world cup, football, soccer, basketball, nba, tennis, formula 1, championship, league
 => web search 0.7 ; search wikipedia 0.5
singer, actor, actress, band, album, lyric, director, celebrity, oscar, award, nobel
 => web search 0.7 ; search wikipedia 0.6
animal, plant, species, planet, physic, chemistry, biology, mathematician, theory, invention,
 philosophy, religion, mythology, king, queen, revolution, treaty, battle, civilization
 => search wikipedia 0.9 ; get wikipedia article 0.8 ; wikipedia article summary 0.6
section of the article, link of the article, article on wikipedia
 => article sections 0.8 ; article links 0.6
hover, drag, drag and drop => hover element 0.7; drag element 0.7
iframe, embedded frame => iframe click fill 0.7
new tab, another tab => click switch tab 0.8
how is the area, what is around, get to know, explore, neighborhood like, facility, facility
 around, supermarket, public transport, bus stop, subway station, metro station, metro, subway,
 station near
 => find nearby places 0.8 ; explore area 0.8 ; geocode address 0.7 ; search category places 0.5
campus, airport, central station, main station, downtown, city centre, city center, old town,
 square, tower, bridge, castle, cathedral, temple, stadium, mall
 => geocode address 0.7 ; find nearby places 0.6 ; route directions 0.4
walkable, stroll, city walk, hiking trail, one-day, two-day, three-day, one day, two day, three
 day, day by day, stopover, hidden gem, must-see, local food, speciality, specialty, honeymoon,
 backpacking
 => find nearby places 0.8 ; geocode address 0.7 ; route directions 0.7 ; web search 0.6 ; weather
    forecast 0.5
travel time, minute away, distance, how many kilometer, detour, stop on the way
 => route directions ; geocode address 0.9
where is the nearest, nearest, the closest, closest => find nearby places; geocode address 0.8
cost of the trip, travel budget, trip cost => calculate expression 0.7; exchange rate currency 0.6
family with kid, pet allowed, pet friendly, budget per night, per night, check in, check out,
 sleep
 => search homestay listings ; listing details 0.8
leave at, arrive at, arrive before, leave after, departing, morning train, evening train, earliest
 train, last train, business class, sleeper, stop at, stopping at, pass through
 => train tickets query ; station code of city 0.9 ; train route stations 0.6 ; interline tickets
    0.4
change train, with one change, transfer at => interline train tickets
jet lag, daylight, clock there, meeting time, across time zone, overlap of working hour
 => convert time timezone ; current time timezone 0.8
sunrise, sunset, air temperature, celsius, fahrenheit, heat wave, typhoon, windy, weather like,
 what to wear
 => weather forecast
compare the stock, stock performance, ytd, year to date, closing, price chart of, price history,
 candlestick, 52-week, high and low, monthly return, annual return, back-test, price on, ohlcv,
 trading volume
 => historical stock prices ; stock price by date range 0.7 ; stock price history 0.8
company overview, about the company, company profile, sector of, pe ratio, beta, market data
 => stock ticker info ; ticker data 0.8
debt, asset, liability, gross margin, operating margin, roe, ebitda, cost structure
 => financial statements ; income statement 0.9 ; cash flow 0.7
beat expectation, earning surprise, surprise, estimate vs => earnings history; earnings dates 0.7
investor mood, volatility index, vix, market overview, market mood, market today, risk appetite
 => fear greed index ; stock market news 0.5
dividend yield, payout, passive income, dividend history
 => stock dividends ; calculate expression 0.4
buying power, inflation, retirement, invest monthly, compound, growth rate, annualized, cagr, per
 year, discounted, present value, net worth, roi, return on investment, break-even, difference in
 price, how many time, ratio of, sum of money, total cost, total price, total value, unit price,
 convert the amount
 => calculate expression 0.8
xau, xag, gold price, silver price, ounce, gram of gold, oil price, commodity
 => asset price metal 0.9
sek, nok, dkk, sgd, thb, mxn, brl, zar, try, myr, idr, php, czk, pln, huf, singapore dollar, swiss
 franc, foreign exchange, convert the money, local currency
 => exchange rate currency
whitepaper, token project, crypto project, airdrop, smart contract, on-chain, wallet, staking, dao
 => research token ; create research plan 0.7 ; research source 0.6 ; crypto market analysis 0.5
deep learning, machine learning, neural, llm, language model, transformer, reinforcement learning,
 computer vision, quantum, algorithm, robotic, nlp, diffusion model, scaling law
 => search papers 0.9 ; paper details 0.6 ; download paper 0.5 ; read paper 0.5
related work, survey, research field, research direction, research trend, state-of-the-art,
 thesis, dissertation, doi, journal, conference paper, peer-reviewed
 => search papers ; paper details 0.7 ; read paper 0.6
drug trial, phase 2, phase 3, phase ii, phase iii, endpoint of the trial, primary outcome, sponsor
 => search clinical trials ; clinical trial outcomes 0.8 ; clinical trial protocol 0.7 ; clinical
    trial details 0.7
egfr, brca1, brca2, tp53, kra, rsid, hgv, oncology, oncogene, carcinoma, leukemia, melanoma,
 immunotherapy, chemotherapy
 => search biomedical articles ; search genetic variant 0.8 ; search clinical trials 0.8
school project, homework, class, teach, student, quiz, teach me, learn about
 => search wikipedia 0.6 ; web search 0.5
crime, unemployment, traffic accident, energy consumption, earthquake, emission, housing,
 population data
 => search dataset package 0.8 ; dataset package details 0.7
organization publishing, group of data => list dataset groups 0.7
team fight, comp, meta, best champion, best character, best build, which hero, in the current
 patch
 => champion analysis 0.8 ; meta deck list 0.6 ; champion item build 0.6 ; characters statistics
    0.6
skin => champion skin sale
ranking of player, top player, best player, pro player => leaderboard 0.9
my rank, my account, in-game name => summoner search 0.8; player match history 0.8; refresh data 0.4
aram, casual mode, arena mode => champion tier rank mode 0.7
build for, team build, echo set, echoe, teammate, resonator, gacha, pull for
 => character info 0.9 ; artifact set info 0.9 ; character profile 0.6
effect of the card, monster card, deck building, duel => search cards; get card by id 0.7
board, board position, pgn, castling, mate in, chess puzzle
 => chess board ; make chess move 0.8 ; find position pgn 0.7 ; valid chess moves 0.7
whose turn => get turn
classical music, chord, key of the song, pitch, chroma, timbre, spectral, feature of the audio
 => load audio ; audio chroma 0.8 ; audio mfcc 0.7
youtube link, audio of the video, soundtrack => download youtube; load audio 0.5
ancient egypt, egyptian, greek, roman, japanese print, sculptor, portrait, landscape, oil on
 canva, old master, department of the museum
 => search museum objects ; museum object details 0.9 ; list museum departments 0.6
home cooking, chinese food, chinese dish, sichuan, cantonese, dumpling, tofu, seafood, drink,
 snack, cocktail, hot pot, for breakfast, for lunch, party food, number of people, guest
 => recommend dish people 0.8 ; recipes by category 0.8 ; recipe details 0.8
weekly meal, nutrition, low-fat, gluten, seafood allergy, peanut, dislike, does not eat
 => recommend meals plan allergies 0.9
trending video, anime, animation, funny video, uploader => video rank 0.8
celebrity news, entertainment news, gossip news => entertainment news trending 0.8
hot search list, hot list, trending list, public opinion, netizen, social platform, social
 network, platform are discussing
 => trending topics ; social trending hot 0.8 ; news trending 0.5
ai news, product launch, new phone, gadget news, startup news, industry news, industry trend, tech
 industry
 => tech news 0.9 ; technology business trending 0.8 ; hacker news stories 0.5
game news, game review, new game, game industry => game news
economy news, business daily, politic, election, war news, global news, top story, front page
 => get news ; bbc news 0.6 ; nytimes news 0.6 ; news trending 0.6
top story, ask hn, show hn, hn => hacker news stories
literature ranking, what to read, bestselling book, reading habit, book recommendation
 => book rank list
film rating, new film, highest rated, drama, series to watch => movie rank list
date of birth, birthday, birth time, born at, lunar birthday, lucky direction, lucky colour,
 engagement, moving date, opening a shop, housewarming
 => chinese calendar almanac 0.8 ; birth fortune 0.7 ; current date 0.5
trending developer, top developer, developer this => trending developers
dice, random number, number between, one to, lucky number, lottery number, draw number
 => random integer 0.9 ; random sample 0.6 ; random float 0.3
group randomly, random group, random team, divide into team, random pick, pick randomly
 => random shuffle 0.9 ; random sample 0.8
weighted, with replacement, probability => random choices 0.7
password => secure token random 0.7
"""

DAILY = DAILY_LIFE + "\n" + DAILY_WORK
