/** People of the simulated broker: names in several scripts, countries and languages that go with them. */

interface Person {
  readonly name: string;
  readonly city: string;
  readonly country: string;
  /** Windows language identifier. */
  readonly language: number;
}

const person = (name: string, city: string, country: string, language: number): Person => ({
  name,
  city,
  country,
  language,
});

export const PEOPLE: readonly Person[] = [
  person('Oliver Bennett', 'London', 'United Kingdom', 2057),
  person('Анна Соколова', 'Москва', 'Russia', 1049),
  person('王小明', '上海', 'China', 2052),
  person('José García Núñez', 'Málaga', 'Spain', 3082),
  person('Jürgen Müller', 'Köln', 'Germany', 1031),
  person('Олександр Шевченко', 'Київ', 'Ukraine', 1058),
  person('李娜', '北京', 'China', 2052),
  person('François Lefèvre', 'Besançon', 'France', 1036),
  person('Łukasz Wójcik', 'Łódź', 'Poland', 1045),
  person('山田 太郎', '東京', 'Japan', 1041),
  person('محمد العلي', 'دبي', 'United Arab Emirates', 14337),
  person('Nguyễn Văn An', 'Hà Nội', 'Vietnam', 1066),
  person("Siobhán O'Neill", 'Galway', 'Ireland', 6153),
  person('Ayşe Yılmaz', 'İstanbul', 'Turkey', 1055),
  person('김민준', '서울', 'South Korea', 1042),
  person('Иван Петров', 'Новосибирск', 'Russia', 1049),
  person('João Conceição', 'São Paulo', 'Brazil', 1046),
  person('Γιώργος Παπαδόπουλος', 'Αθήνα', 'Greece', 1032),
  person('Emily Clarke', 'Sydney', 'Australia', 3081),
  person('陳大文', '香港', 'Hong Kong', 3076),
];
